import { parseArgs } from 'node:util'
import { exitError, exitStatus } from '../exit.js'
import { release } from '../release.js'
import { answer } from './doctor/answer.js'
import { callerPermission } from './doctor/caller.js'
import { finding, type Check, type Finding, type Scene, type Verdict } from './doctor/finding.js'
import { leftovers, stateDirectory, tmpfiles } from './doctor/leftovers.js'
import { nginx } from './doctor/nginx.js'
import { node } from './doctor/node.js'
import { runtimeDirectory, socketFile } from './doctor/runtime.js'
import { lookAround } from './doctor/scene.js'
import { settings, settingsFile } from './doctor/settings.js'
import { dropIns, serviceState, socketState, socketWatch, unitFiles } from './doctor/units.js'
import { unmerged } from './doctor/unmerged.js'
import { printable } from './printable.js'
import { withProgress } from './progress.js'

const usage = `Usage: fastapi-health doctor [OPTION...]

Looks at everything that the service needs, and says of each thing what it found and which command mends it.
It changes nothing. What only root may see it skips for others, and says so. The commands are for a root shell.

  --script  print the commands alone, each below what it mends, to be read and then run by sh -e
  --nginx   nginx is meant to serve: say what it lacks, even where it is not set up at all
  --json    say it as JSON
  --help    show this text

Exit status: 0 nothing wrong, 1 something is, 64 wrong arguments.
`

/**
 * In the order in which they are told, and their commands pasted: causes before what they cause. What
 * replaces units makes the directory by the rule, and needs a release that starts.
 */
const checks: Record<string, Check> = {
  node,
  settings,
  tmpfiles,
  units: unitFiles,
  'drop-ins': dropIns,
  'settings file': settingsFile,
  'unmerged files': unmerged,
  'state directory': stateDirectory,
  'runtime directory': runtimeDirectory,
  socket: socketState,
  'socket file': socketFile,
  watch: socketWatch,
  service: serviceState,
  caller: callerPermission,
  leftovers
}

/** What the checks that ask the service need to be in order, for an answer to say anything new. */
const neededForAnswer = ['units', 'node', 'settings', 'runtime directory', 'socket', 'socket file']

/** `fastapi-health doctor`: every finding, and exit status 1 if any of them is wrong. */
export async function doctor(args: string[]): Promise<void> {
  const { values } = parse(args)
  if (values.help === true) {
    process.stdout.write(usage)
    return
  }
  const findings = await examine(await lookAround(values.nginx === true))
  const wrong = findings.filter(isWrong)
  process.exitCode = wrong.length > 0 ? exitStatus.failed : exitStatus.done
  if (values.json === true) process.stdout.write(`${JSON.stringify({ healthy: wrong.length === 0, release, findings })}\n`)
  else process.stdout.write(values.script === true ? asScript(wrong) : asText(findings))
}

async function examine(scene: Scene): Promise<Finding[]> {
  const found = (await Promise.all(Object.entries(checks).map(([name, check]) => look(name, check, scene)))).flat()
  const cause = found.find(({ check, verdict }) => verdict === 'fail' && neededForAnswer.includes(check))
  if (cause !== undefined) {
    const reason = `not asked: mend "${cause.check}" first`
    return [...found, finding('answer', 'skipped', reason), ...(await look('nginx', nginx, scene))]
  }
  const rest = await withProgress('asking the service for its health', Promise.all([look('answer', answer, scene), look('nginx', nginx, scene)]))
  return [...found, ...rest.flat()]
}

/** What could not be looked at is no reason to say nothing of the rest. */
async function look(name: string, check: Check, scene: Scene): Promise<Finding[]> {
  try {
    return await check(scene)
  } catch (error) {
    return [finding(name, 'skipped', `could not be looked at: ${(error as Error).message}`)]
  }
}

function isWrong({ verdict }: Finding): boolean {
  return verdict === 'warn' || verdict === 'fail'
}

const colours: Record<Verdict, string> = { ok: '32', warn: '33', fail: '1;31', skipped: '2' }

function asText(findings: Finding[]): string {
  // https://no-color.org
  const coloured = process.stdout.isTTY && !process.env['NO_COLOR']
  const paint = (verdict: Verdict, text: string) => (coloured ? `\x1b[${colours[verdict]}m${text}\x1b[0m` : text)
  const width = Math.max(...findings.map(({ check }) => check.length))
  const lines = findings.flatMap(({ check, verdict, evidence, mend }) => [
    `${paint(verdict, verdict.padEnd(7))}  ${check.padEnd(width)}  ${printable(evidence)}`,
    ...(mend === undefined ? [] : [`${' '.repeat(9)}mend: ${mend}`])
  ])
  const count = (verdict: Verdict) => findings.filter((each) => each.verdict === verdict).length
  const sum = (['fail', 'warn', 'ok', 'skipped'] as const).map((verdict) => `${count(verdict)} ${verdict}`).join(', ')
  return `${lines.join('\n')}\n${sum}\n`
}

/** For sh -e; what no command mends is a comment. */
function asScript(wrong: Finding[]): string {
  return wrong.map(({ check, verdict, evidence, mend }) => `# ${verdict} ${check}: ${printable(evidence)}\n${mend === undefined ? '' : `${mend}\n`}`).join('')
}

const flag = { type: 'boolean' } as const

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: { nginx: flag, script: flag, json: flag, help: flag } })
  } catch (error) {
    throw exitError(exitStatus.usage, `doctor: ${(error as Error).message}\n\n${usage}`)
  }
}
