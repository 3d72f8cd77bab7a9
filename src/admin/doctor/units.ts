import { readFile } from 'node:fs/promises'
import { run } from '../run.js'
import { finding, serviceUnit, socketUnit, watchUnit, type Check, type Finding, type Scene, type Unit } from './finding.js'
import { shellWord } from './words.js'

const packagedFolder = '/usr/lib/systemd/system'

/** Whether systemd has the packaged units, and nothing instead of them. */
export const unitFiles: Check = async ({ units, unitsProblem }) => {
  if (units === undefined) return [finding('units', 'skipped', unitsProblem)]
  const findings: Finding[] = []
  const named = [
    { name: socketUnit, unit: units.socket },
    { name: serviceUnit, unit: units.service }
  ]
  const masked = named.filter(({ unit }) => unit['LoadState'] === 'masked').map(({ name }) => name)
  if (masked.length > 0) {
    const mend = `systemctl unmask ${masked.join(' ')} && systemctl enable --now ${socketUnit}`
    findings.push(finding('units', 'fail', `${masked.join(' and ')} masked: nothing can start it`, mend))
  }
  const missing = named.filter(({ unit }) => unit['LoadState'] === 'not-found').map(({ name }) => name)
  if (missing.length > 0) {
    findings.push(finding('units', 'fail', `${missing.join(' and ')} not found in ${packagedFolder}`, 'pacman -Qk fastapi-health; systemctl daemon-reload'))
  }
  const shadows = named.map(({ unit }) => unit['FragmentPath'] ?? '').filter((path) => path !== '' && !path.startsWith(packagedFolder))
  const inTheWay = shadows.filter((path) => !masked.some((name) => path.endsWith(`/${name}`)))
  if (inTheWay.length > 0) {
    findings.push(finding('units', 'fail', `${inTheWay.join(' and ')} in force instead of the packaged file`, '/usr/lib/fastapi-health/change-over'))
  }
  const stale = named.filter(({ unit }) => unit['NeedDaemonReload'] === 'yes').map(({ name }) => name)
  if (stale.length > 0 && findings.length === 0) {
    findings.push(finding('units', 'warn', `${stale.join(' and ')} changed on disk since systemd read it`, 'systemctl daemon-reload'))
  }
  return findings.length > 0 ? findings : [finding('units', 'ok', `${socketUnit} and ${serviceUnit} are the packaged ones`)]
}

/** Whether the socket listens, and will after the next boot. */
export const socketState: Check = async ({ units, unitsProblem }) => {
  const check = 'socket'
  if (units === undefined) return [finding(check, 'skipped', unitsProblem)]
  const { LoadState: load, ActiveState: active = '', SubState: sub, UnitFileState: file = '', Result: result } = units.socket
  if (load === 'masked') return [finding(check, active === 'active' ? 'warn' : 'fail', `${active} (${sub}) and masked`)]
  if (active === 'failed') {
    const mend = `systemctl reset-failed ${socketUnit} ${serviceUnit}; systemctl restart ${socketUnit}`
    return [finding(check, 'fail', `failed: ${result ?? 'unknown result'}; every client is refused`, mend)]
  }
  if (active !== 'active') return [finding(check, 'fail', `${active} and ${file}; every client is refused`, `systemctl enable --now ${socketUnit}`)]
  if (file !== 'enabled') {
    return [finding(check, 'warn', `active (${sub}) but ${file}: not there after the next boot`, `systemctl enable ${socketUnit}`)]
  }
  return [finding(check, 'ok', `active (${sub}) and enabled`)]
}

/** Whether the watch over the socket's file is on, without which a deleted file stays deleted. */
export const socketWatch: Check = async ({ units, unitsProblem, tcpUrl }) => {
  const check = 'watch'
  if (tcpUrl !== undefined) return [finding(check, 'skipped', 'the socket has no file')]
  if (units === undefined) return [finding(check, 'skipped', unitsProblem)]
  if (units.socket['ActiveState'] !== 'active') return [finding(check, 'skipped', 'the socket is not active')]
  const { ActiveState: active = '', SubState: sub } = units.watch
  if (active === 'active') return [finding(check, 'ok', `active (${sub})`)]
  const evidence = `${watchUnit} is ${active}: where the socket's file is deleted nobody makes it anew`
  return [finding(check, 'warn', evidence, `systemctl start ${watchUnit}`)]
}

/** Whether the service runs or waits, and does not fail over and over. */
export const serviceState: Check = async ({ units, unitsProblem }) => {
  const check = 'service'
  if (units === undefined) return [finding(check, 'skipped', unitsProblem)]
  const { ActiveState: active = '', SubState: sub = '', Result: result = '', ExecMainStatus: status, NRestarts: restarts } = units.service
  const look = `journalctl -u ${serviceUnit} -n 20 --no-pager`
  if (active === 'failed') {
    const mend = `systemctl reset-failed ${serviceUnit}; systemctl restart ${socketUnit}`
    return [finding(check, 'fail', `failed: ${result}, exit status ${status}; why: ${look}`, mend)]
  }
  // Between two tries and during one: after a failed one NRestarts counts them.
  if (/auto-restart/.test(sub) || (active === 'activating' && Number(restarts) > 0)) {
    const said = (await run('journalctl', ['-u', serviceUnit, '-p', 'err', '-n', '3', '-o', 'cat', '--no-pager'])).stdout.trim()
    const evidence = `does not start, tried again ${restarts} times: exit status ${status}${said === '' ? '' : `, "${said}"`}; why: ${look}`
    return [finding(check, 'fail', evidence)]
  }
  return [finding(check, 'ok', active === 'active' ? `runs (${sub})` : `${active}: the next connection starts it`)]
}

/** What a drop-in must not change, because what the package promises rests on it. */
const promises: { unit: 'socket' | 'service'; property: string; expected: string; directive: RegExp; cost: string }[] = [
  {
    unit: 'service',
    property: 'StartLimitIntervalUSec',
    expected: '0',
    directive: /^\s*StartLimitInterval(Sec)?\s*=/,
    cost: 'a start limit fails the socket too, and refuses who could have waited'
  },
  {
    unit: 'socket',
    property: 'TriggerLimitIntervalUSec',
    expected: '0',
    directive: /^\s*TriggerLimitIntervalSec\s*=/,
    cost: 'a trigger limit leaves the socket failed until a person resets it'
  },
  {
    unit: 'service',
    property: 'RefuseManualStart',
    expected: 'no',
    directive: /^\s*RefuseManualStart\s*=/,
    cost: 'upgrades cannot restart the service'
  },
  {
    unit: 'socket',
    property: 'FileDescriptorName',
    expected: 'fastAPI',
    directive: /^\s*FileDescriptorName\s*=/,
    cost: 'the service finds its socket by this name'
  },
  { unit: 'socket', property: 'Accept', expected: 'no', directive: /^\s*Accept\s*=/, cost: 'the service accepts connections itself' }
]

/** Which drop-ins are in force, and whether one takes away what the package promises. */
export const dropIns: Check = async (scene) => {
  const check = 'drop-ins'
  const { units } = scene
  if (units === undefined) return [finding(check, 'skipped', scene.unitsProblem)]
  const broken = (await Promise.all(promises.map((promise) => brokenPromise(scene, promise)))).flat()
  if (broken.length > 0) return broken
  const paths = [...dropInPaths(units.socket), ...dropInPaths(units.service)]
  return [finding(check, 'ok', paths.length === 0 ? 'none in force' : `in force: ${paths.join(' ')}`)]
}

async function brokenPromise({ units }: Scene, { unit, property, expected, directive, cost }: (typeof promises)[number]): Promise<Finding[]> {
  const value = units?.[unit][property]
  if (units === undefined || value === undefined || value === expected) return []
  const paths = await filesThatMatch(dropInPaths(units[unit]), directive)
  // Where no drop-in says so the unit file does, which the check of the units tells.
  if (paths.length === 0) return []
  const expression = directive.source.replace(/\\s/g, '[[:space:]]')
  const mend = `sed -i -E 's/${expression}/#&/' ${paths.map(shellWord).join(' ')} && systemctl daemon-reload`
  return [finding('drop-ins', 'warn', `${paths.join(' ')}: ${property} is ${value}, expected ${expected}: ${cost}`, mend)]
}

export function dropInPaths(unit: Unit): string[] {
  return (unit['DropInPaths'] ?? '').split(/\s+/).filter((path) => path !== '')
}

async function filesThatMatch(paths: string[], pattern: RegExp): Promise<string[]> {
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8').catch(() => '')))
  return paths.filter((_path, index) => (texts[index] ?? '').split('\n').some((line) => pattern.test(line)))
}
