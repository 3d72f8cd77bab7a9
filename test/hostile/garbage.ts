import type { Step } from './cases.js'
import { exchange, type Target } from './exchange.js'
import { faultsOf } from './judge.js'

/** Numbers from 0 to 1 that are the same for each seed: Mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const fragments = [
  'GET /health HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
  'HEAD /health HTTP/1.0\r\n\r\n',
  'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /health/?%0d%0a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nAccept: application/health+json\r\n\r\n',
  'GET http://a/health HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  'Host: a\r\n', 'Connection: close\r\n', 'Content-Length: 99999999999\r\n', 'Transfer-Encoding: chunked\r\n', 'Accept: */*\r\n',
  '\r\n', '\n', '\r', '\0', ' ', '\t', ':', '/', '%', '../', '%2e%2e%2f', 'HTTP/1.1', 'HTTP/2.0', 'GET', '\xff\xfe', '\x1b[2J', '"}', '{"level":"error"}\n<0>'
]

/** What one misbehaving client sends: whole requests, cut, repeated, mixed with bytes of any kind, in pieces. */
export function garbage(random: () => number): Step[] {
  const below = (limit: number): number => Math.floor(random() * limit)
  let bytes = ''
  for (let count = 1 + below(6); count > 0; count--) bytes += fragments[below(fragments.length)]
  for (let count = below(5); count > 0; count--) {
    const at = below(bytes.length + 1)
    const kind = below(4)
    if (kind === 0) bytes = bytes.slice(0, at) + String.fromCharCode(below(256)).repeat(1 + below(3)) + bytes.slice(at)
    else if (kind === 1) bytes = bytes.slice(0, at) + bytes.slice(at + 1 + below(8))
    else if (kind === 2) bytes = bytes.slice(0, at) + bytes.slice(below(bytes.length + 1))
    else bytes = bytes.slice(0, at) + fragments[below(fragments.length)] + bytes.slice(at)
  }
  const steps: Step[] = []
  while (bytes.length > 0 && steps.length < 6) {
    const length = below(3) === 0 ? 1 + below(bytes.length) : bytes.length
    steps.push(bytes.slice(0, length))
    bytes = bytes.slice(length)
    if (bytes.length > 0) steps.push({ waitMs: below(3) })
  }
  steps.push(below(10) === 0 ? { reset: true } : { halfClose: true })
  return steps
}

/** What a run of garbage did and saw. */
export interface GarbageRun {
  connections: number
  answers: Record<number, number>
  faults: string[]
}

/**
 * Sends garbage on `width` connections at a time for `durationMs`. A fault names the number of the connection that
 * had it: the same seed sends the same bytes on it again.
 */
export async function sendGarbage(target: Target, seed: number, durationMs: number, width = 16): Promise<GarbageRun> {
  const run: GarbageRun = { connections: 0, answers: {}, faults: [] }
  const until = Date.now() + durationMs
  const client = async (): Promise<void> => {
    while (Date.now() < until && run.faults.length < 10) {
      const number = run.connections++
      const found = await exchange(target, garbage(seeded(seed * 1_000_003 + number)), 0, 5_000, 'some')
      if (!found.connected) run.faults.push(`connection ${number} of seed ${seed}: refused`)
      for (const { status } of found.answers) run.answers[status] = (run.answers[status] ?? 0) + 1
      for (const fault of faultsOf(found, 'socket')) run.faults.push(`connection ${number} of seed ${seed}: ${fault}`)
    }
  }
  await Promise.all(Array.from({ length: width }, client))
  return run
}
