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
  const listens = [...(units?.socket['Listen'] ?? '').matchAll(/^(.*) \(Stream\)$/gm)].map(([, address = '']) => address)
  const socketPath = listens.find((address) => address.startsWith('/'))
  return {
    uid: process.getuid?.() ?? 0,
    units,
    unitsProblem: `systemd does not answer: ${problem ?? (stderr.trim() || 'systemctl show printed nothing')}`,
    socketPath: socketPath ?? packagedSocketPath,
    tcpUrl: socketPath === undefined ? listens.map(toUrl).find((url) => url !== undefined) : undefined,
    nginxWanted
  }
}

/** An address of ListenStream= as a URL; who listens on every address is asked on the loopback one. */
function toUrl(address: string): URL | undefined {
  const text = `http://${address.replace(/^\[::\]:/, '[::1]:').replace(/^(0\.0\.0\.0|\*):/, '127.0.0.1:')}/health`
  return URL.canParse(text) ? new URL(text) : undefined
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
