import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { exitError, exitStatus, type ExitStatus } from '../exit.js'
import { ask, type Answer, type Target } from './ask.js'
import { printable } from './printable.js'
import { withProgress } from './progress.js'

const defaultSocket = '/run/fastAPI/fastAPI.sock'

const usage = `Usage: fastapi-health check [OPTION...] [TARGET]

Asks for the service's health, which starts the service where it does not run, and says in one line what it found.

  TARGET             path of a Unix socket, or an http:// or https:// URL, whose path is /health
                     unless it has one; by default ${defaultSocket}
  --timeout SECONDS  how long one answer may take (default 10)
  --wait SECONDS     ask again for this long until the answer is healthy (default 0)
  --json             say it as one line of JSON
  --help             show this text

Exit status: 0 healthy, 1 not healthy, 64 wrong arguments, 69 nothing answers.
`

/** The service's own document is asked for; whoever knows only the plain answer may give that. */
const accept = 'application/health+json, application/json;q=0.9'

/** Between two questions of --wait. */
const pauseMs = 200

/** What a check found. `warn` is healthy, with something to look at. */
export interface Report {
  status: 'ok' | 'warn' | 'fail' | 'unavailable'
  target: string
  durationMs: number
  /** For people: what was found, without the target. */
  message: string
  /** The release that answered, where it says so. */
  releaseId?: string
  /** Names of the document's checks that did not pass. */
  concerns?: string[]
}

const exitStatusOf: Record<Report['status'], ExitStatus> = {
  ok: exitStatus.done,
  warn: exitStatus.done,
  fail: exitStatus.failed,
  unavailable: exitStatus.unavailable
}

/** `fastapi-health check`: one line that says what was found, and the exit status that goes with it. */
export async function check(args: string[]): Promise<void> {
  const { values, positionals } = parse(args)
  if (values.help === true) {
    process.stdout.write(usage)
    return
  }
  const timeoutMs = milliseconds('--timeout', values.timeout ?? '10')
  const waitMs = milliseconds('--wait', values.wait ?? '0')
  const asked = askUntilHealthy(readTarget(positionals), timeoutMs, waitMs)
  const report = await withProgress('waiting for an answer', asked)
  process.exitCode = exitStatusOf[report.status]
  // On standard output whatever was found: it is the answer, and monitoring systems read no other stream.
  process.stdout.write(values.json === true ? `${JSON.stringify(report)}\n` : `${oneLine(report)}\n`)
}

/** Asks once, and then again until the answer is healthy or `waitMs` have passed. */
export async function askUntilHealthy(target: Target, timeoutMs: number, waitMs: number): Promise<Report> {
  const deadline = Date.now() + waitMs
  let report = await askOnce(target, timeoutMs)
  while (exitStatusOf[report.status] !== exitStatus.done && Date.now() + pauseMs < deadline) {
    await sleep(pauseMs)
    const boundMs = Math.min(timeoutMs, deadline - Date.now())
    const next = await askOnce(target, boundMs)
    // A question that the end of the wait cuts short says less than the answer before it.
    if (next.status !== 'unavailable' || boundMs === timeoutMs) report = next
  }
  return report
}

/** Asks `target` for its health, once. Never throws. */
export async function askOnce(target: Target, timeoutMs: number): Promise<Report> {
  const startedAt = performance.now()
  const about = () => ({
    target: 'url' in target ? target.url.href : target.socketPath,
    durationMs: Math.round(performance.now() - startedAt)
  })
  try {
    const answer = await ask(target, accept, timeoutMs)
    return { ...about(), ...judge(answer) }
  } catch (error) {
    return { ...about(), status: 'unavailable', message: (error as Error).message }
  }
}

/** What an answer says: `pass`, `warn` or `fail` of draft-inadarei-api-health-check-06, or the plain `ok`. */
function judge({ status, body }: Answer): Pick<Report, 'status' | 'message' | 'releaseId' | 'concerns'> {
  const document = parseObject(body)
  const said = document['status']
  const releaseId = document['releaseId']
  const release = typeof releaseId === 'string' ? { releaseId } : {}
  const failing = concernsOf(document['checks'])
  const notes = failing.map(({ note }) => note).join('; ')
  const about = { ...release, ...(failing.length > 0 && { concerns: failing.map(({ name }) => name) }) }
  if (status === 200 && (said === 'ok' || said === 'pass')) return { status: 'ok', message: 'is healthy', ...about }
  if (status === 200 && said === 'warn') return { status: 'warn', message: `is healthy, but: ${notes || 'it does not say what'}`, ...about }
  if (said === 'fail') return { status: 'fail', message: `is not healthy: ${notes || 'it does not say why'}`, ...about }
  const got = `status ${status} with ${JSON.stringify(body.slice(0, 200))}`
  return { status: 'fail', message: `expected status 200 with {"status":"ok"}, got ${got}` }
}

/** The document's checks that did not pass, with what each says, in one line. */
function concernsOf(checks: unknown): { name: string; note: string }[] {
  if (typeof checks !== 'object' || checks === null) return []
  return Object.entries(checks).flatMap(([name, list]: [string, unknown]) =>
    (Array.isArray(list) ? (list as (Record<string, unknown> | null)[]) : [])
      .filter((each) => each?.['status'] === 'warn' || each?.['status'] === 'fail')
      .map((each) => ({ name, note: String(each?.['output'] ?? `${name} is ${String(each?.['observedValue'])}`).replace(/\s+/g, ' ') }))
  )
}

function oneLine({ status, target, message, durationMs }: Report): string {
  return `${status.toUpperCase()}: ${target}${message.startsWith('is ') ? ' ' : ': '}${printable(message)} (${durationMs} ms)`
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { timeout: { type: 'string' }, wait: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } }
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
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) {
    const url = new URL(text)
    if (url.pathname === '/') url.pathname = '/health'
    return { url }
  }
  throw exitError(exitStatus.usage, `check: expected the path of a socket, or an http:// or https:// URL, got ${JSON.stringify(text)}`)
}
