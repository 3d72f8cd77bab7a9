import { run } from '../run.js'
import { serviceUnit, socketUnit, watchUnit, type Scene, type Unit } from './finding.js'

const packagedSocketPath = '/run/fastAPI/fastAPI.sock'

const properties = [
  'Id',
  'LoadState',
  'ActiveState',
  'SubState',
  'UnitFileState',
  'FragmentPath',
  'DropInPaths',
  'NeedDaemonReload',
  'Result',
  'NRestarts',
  'ExecMainStatus',
  'ExecStart',
  'Environment',
  'EnvironmentFiles',
  'StartLimitIntervalUSec',
  'TriggerLimitIntervalUSec',
  'RefuseManualStart',
  'FileDescriptorName',
  'Accept',
  'Listen',
  'SocketUser',
  'SocketGroup',
  'SocketMode'
]

/** Looks at what several checks need. Never throws: what cannot be seen is undefined, and says why. */
export async function lookAround(nginxWanted: boolean): Promise<Scene> {
  const { status, stdout, stderr, problem } = await run('systemctl', [
    'show',
    `--property=${properties.join(',')}`,
    socketUnit,
    serviceUnit,
    watchUnit,
    'nginx.service'
  ])
  const [socket, service, watch, nginx] = parseUnits(stdout)
  const units = status === 0 && socket && service && watch && nginx ? { socket, service, watch, nginx } : undefined
  return {
    uid: process.getuid?.() ?? 0,
    units,
    unitsProblem: `systemd does not answer: ${problem ?? (stderr.trim() || 'systemctl show printed nothing')}`,
    socketPath: /^(\/.*) \(Stream\)$/m.exec(units?.socket['Listen'] ?? '')?.[1] ?? packagedSocketPath,
    nginxWanted
  }
}

/** Reads what `systemctl show` prints: one paragraph for each unit. */
export function parseUnits(text: string): Unit[] {
  return text
    .trim()
    .split(/\n\n+/)
    .filter((paragraph) => paragraph !== '')
    .map((paragraph) => {
      const unit: Unit = {}
      for (const line of paragraph.split('\n')) {
        const at = line.indexOf('=')
        if (at < 1) continue
        const name = line.slice(0, at)
        const before = unit[name]
        unit[name] = before === undefined ? line.slice(at + 1) : `${before}\n${line.slice(at + 1)}`
      }
      return unit
    })
}
