import { access, constants } from 'node:fs/promises'
import { basename } from 'node:path'
import { run } from '../run.js'
import { finding, type Check, type Unit } from './finding.js'
import { exists } from './status.js'
import { shellWord } from './words.js'

/** As depends= of the PKGBUILD says. */
const oldestMajor = 20

/** Whether the node that starts the service, which need not be the one that runs this, is there, runs, and is new enough. */
export const node: Check = async ({ units }) => {
  const check = 'node'
  const path = programOf(units?.service)
  if (!(await exists(path))) return [finding(check, 'fail', `${path} is missing: the service cannot start`, await reinstall())]
  const executable = await access(path, constants.X_OK).then(
    () => true,
    () => false
  )
  if (!executable) return [finding(check, 'fail', `${path} is not executable: the service cannot start`, `chmod 755 ${shellWord(path)}`)]
  const { status, stdout, stderr, problem } = await run(path, ['--version'])
  const version = stdout.trim()
  const major = Number(/^v(\d+)\./.exec(version)?.[1] ?? NaN)
  if (status !== 0 || Number.isNaN(major)) {
    const said = problem ?? `status ${status}, ${JSON.stringify((stderr || stdout).trim().slice(0, 200))}`
    return [finding(check, 'fail', `${path} --version: expected a version, got ${said}`, await reinstall())]
  }
  if (major < oldestMajor) return [finding(check, 'fail', `${path} is ${version}, expected v${oldestMajor} or newer`, await reinstall())]
  return [finding(check, 'ok', `${path} is ${version}`)]
}

/** The node of ExecStart=, a drop-in's included; a unit of another deployment, or a wrapper, says nothing of node. */
function programOf(service: Unit | undefined): string {
  const path = /\{ path=(\S+) /.exec(service?.['ExecStart'] ?? '')?.[1] ?? ''
  const isPackaged = service?.['FragmentPath']?.startsWith('/usr/lib/') === true
  return isPackaged && basename(path).startsWith('node') ? path : '/usr/bin/node'
}

/** An LTS package that provides nodejs stays the one that does. */
async function reinstall(): Promise<string> {
  const { stdout } = await run('pacman', ['-Qq', 'nodejs'])
  return `pacman -S ${stdout.trim() || 'nodejs'}`
}
