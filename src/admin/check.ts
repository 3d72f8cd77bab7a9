import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { exitError, exitStatus, type ExitStatus } from '../exit.js'
import { ask, type Answer, type Target } from './ask.js'

const defaultSocket = '/run/fastAPI/fastAPI.sock'

const usage = `Usage: fastapi-health check [--timeout SECONDS] [--wait SECONDS] [TARGET]

Asks for the service's health, which starts it where it is not running.

  TARGET             path of a Unix socket, or an http:// URL; by default ${defaultSocket}
  --timeout SECONDS  how long one answer may take (default 10)
  --wait SECONDS     ask again for this long until the answer is healthy (default 0)

Exit status: 0 healthy, 1 not healthy, 64 wrong arguments, 69 nothing answers.
`

/** What a check found, ready to be told. */
interface Finding {
  exitStatus: ExitStatus
  message: string
}

/** `fastapi-health check`: one line that says what was found, and the exit status that goes with it. */
export async function check(args: string[]): Promise<void> {
  const { values, positionals } = parse(args)
  if (values.help === true) {
    process.stdout.write(usage)
    return
  }
  const timeoutMs = milliseconds('--timeout', values.timeout ?? '10')
  const deadline = Date.now() + milliseconds('--wait', values.wait ?? '0')
  const target = readTarget(positionals)

  let finding = await find(target, timeoutMs)
  while (finding.exitStatus !== exitStatus.done && Date.now() < deadline) {
    await sleep(Math.min(200, Math.max(0, deadline - Date.now())))
    finding = await find(target, timeoutMs)
  }
  const stream = finding.exitStatus === exitStatus.done ? process.stdout : process.stderr
  stream.write(`${finding.message}\n`)
  process.exitCode = finding.exitStatus
}

async function find(target: Target, timeoutMs: number): Promise<Finding> {
  const name = 'url' in target ? target.url.href : target.socketPath
  const startedAt = performance.now()
  let answer: Answer
  try {
    answer = await ask(target, 'application/json', timeoutMs)
  } catch (error) {
    return { exitStatus: exitStatus.unavailable, message: `UNAVAILABLE: ${name}: ${(error as Error).message}` }
  }
  const took = `${Math.round(performance.now() - startedAt)} ms`
  if (answer.status === 200 && isOk(answer.body)) return { exitStatus: exitStatus.done, message: `OK: ${name} is healthy (${took})` }
  const got = `status ${answer.status} with ${JSON.stringify(answer.body.slice(0, 200))}`
  return { exitStatus: exitStatus.failed, message: `FAIL: ${name}: expected status 200 with {"status":"ok"}, got ${got} (${took})` }
}

function isOk(body: string): boolean {
  try {
    return (JSON.parse(body) as { status?: unknown }).status === 'ok'
  } catch {
    return false
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { timeout: { type: 'string' }, wait: { type: 'string' }, help: { type: 'boolean' } }
    })
  } catch (error) {
    throw exitError(exitStatus.usage, `check: ${(error as Error).message}\n\n${usage}`)
  }
}

function milliseconds(option: string, text: string): number {
  const value = Number(text)
  if (!/^\d{1,6}(\.\d{1,3})?$/.test(text) || value > 3600) {
    throw exitError(exitStatus.usage, `check: ${option}: expected seconds from 0 to 3600, got ${JSON.stringify(text)}`)
  }
  return value * 1000
}

function readTarget(positionals: string[]): Target {
  const [text = defaultSocket, ...rest] = positionals
  if (rest.length > 0) throw exitError(exitStatus.usage, `check: expected one TARGET, got ${positionals.length}`)
  if (text.startsWith('/')) return { socketPath: text }
  if (URL.canParse(text) && new URL(text).protocol === 'http:') return { url: new URL(text) }
  throw exitError(exitStatus.usage, `check: expected the path of a socket or an http:// URL, got ${JSON.stringify(text)}`)
}
