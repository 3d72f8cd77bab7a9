import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Step } from './cases.js'

/** One answer, as it came over the wire. */
export interface RawAnswer {
  status: number
  head: string
  body: string
}

/** What a client saw on one connection. */
export interface Exchange {
  answers: RawAnswer[]
  /** Bytes that came and are no answer. */
  rest: string
  sentBytes: number
  connected: boolean
  /** A write met a closed connection, and took what was not read yet with it. */
  brokenPipe: boolean
}

type Bodiless = 'all' | 'some' | 'none'

/** Where to connect: a path, or a port of this machine's loopback interface. */
export type Target = { path: string } | { port: number }

/**
 * Sends `steps` on a connection of its own and reads what comes until the other side closes, or `wanted` answers
 * have come and nothing follows them, or `timeoutMs` is over. `bodiless`: which answers have no body, as those to HEAD.
 */
export async function exchange(target: Target, steps: Step[], wanted: number, timeoutMs: number, bodiless: Bodiless = 'none'): Promise<Exchange> {
  const socket = connect({ ...(target as NetConnectOpts), allowHalfOpen: true } as NetConnectOpts)
  const found: Exchange = { answers: [], rest: '', sentBytes: 0, connected: false, brokenPipe: false }
  await new Promise<void>((resolve) => {
    let settling: NodeJS.Timeout | undefined
    const timer = setTimeout(resolve, timeoutMs)
    const done = (): void => {
      clearTimeout(timer)
      clearTimeout(settling)
      resolve()
    }
    socket.on('data', (chunk: Buffer) => {
      found.rest += chunk.toString('latin1')
      takeAnswers(found, bodiless)
      clearTimeout(settling)
      // Whatever follows the last answer that is due is one too many: it gets the time to show.
      if (wanted > 0 && found.answers.length >= wanted && !isClosing(found)) settling = setTimeout(done, 100)
    })
    socket.on('end', done)
    socket.on('close', done)
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') found.brokenPipe = true
    })
    socket.on('connect', () => {
      found.connected = true
      void send(socket, steps)
    })
  })
  if (bodiless === 'some') takeAnswers(found, 'all')
  found.sentBytes = socket.bytesWritten
  socket.destroy()
  return found
}

async function send(socket: Socket, steps: Step[]): Promise<void> {
  for (const step of steps) {
    if (socket.destroyed || !socket.writable) return
    if (typeof step === 'string') await write(socket, step)
    else if ('of' in step) await writeOften(socket, step.of, step.times)
    else if ('waitMs' in step) await sleep(step.waitMs)
    else if ('halfClose' in step) socket.end()
    else if ('localPort' in socket && socket.localPort !== undefined) socket.resetAndDestroy()
    else socket.destroy()
  }
}

async function writeOften(socket: Socket, text: string, times: number): Promise<void> {
  // In pieces of about 64 KiB, so that many small ones take no write each.
  const together = Math.max(1, Math.floor(65_536 / text.length))
  for (let left = times; left > 0 && !socket.destroyed; left -= together) {
    await write(socket, text.repeat(Math.min(left, together)))
  }
}

function write(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve) => socket.write(text, 'latin1', () => resolve()))
}

function isClosing({ answers }: Exchange): boolean {
  return /^connection: close/im.test(answers.at(-1)?.head ?? '')
}

function takeAnswers(found: Exchange, bodiless: Bodiless): void {
  for (;;) {
    const headEnd = found.rest.indexOf('\r\n\r\n')
    if (headEnd < 0) return
    const head = found.rest.slice(0, headEnd)
    const status = Number(/^HTTP\/1\.[01] (\d{3}) /.exec(head)?.[1] ?? 0)
    if (status === 0) return
    const next = found.rest.slice(headEnd + 4, headEnd + 11)
    const empty = bodiless === 'all' || status < 200 || status === 204 || (bodiless === 'some' && next === 'HTTP/1.')
    const length = empty ? 0 : Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0)
    const bodyEnd = headEnd + 4 + length
    if (found.rest.length < bodyEnd) return
    found.answers.push({ status, head, body: found.rest.slice(headEnd + 4, bodyEnd) })
    found.rest = found.rest.slice(bodyEnd)
  }
}
