import { Agent, request, type RequestOptions } from 'node:http'
import { isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

// On Node's own http client. autocannon 9 was tried and put aside: where a connection ends before its answer it sends
// the request again and counts nothing, so a lost request cannot be seen; it has no think time, and the answers before
// its forced reconnects are not counted either. Loads nothing but Node's own modules: hosts run this file as it is.

/** The kinds of client: a connection for each request, or one that is kept, used without a pause or with `thinkMs`. */
export interface LoadOptions {
  /** A Unix socket, or a TCP address of the loopback interface: nothing else is ever a target. */
  target: { socketPath: string | (() => string) } | { host: string; port: number }
  /** Default: GET. A POST has a small body and expects 405, which is the service's own answer. */
  method?: 'GET' | 'POST'
  /** Default: /health. */
  path?: string
  /** The Host header; default: localhost. */
  hostHeader?: string
  /** A connection for each request, or one for each client for as long as the server keeps it. */
  connections: 'new' | 'kept'
  /** Clients at once, 1 to 5000; each has one request under way at most. */
  clients: number
  /** Pause of a client between an answer and its next request: this long, give or take half of it. Default: 0. */
  thinkMs?: number
  /** Requests of all clients together, at most a million. */
  requests: number
  /** No request is sent later than this; at most 30 minutes. */
  durationMs: number
  /** A request that is not answered by then has failed; it is never sent twice. Default, and at most: 30 s. */
  waitMs?: number
  /** The one status that counts as an answer; default: 200 for GET, 405 for POST. */
  status?: number
}

/** What became of the requests; `sent` is always `answered` + `failed`. */
export interface LoadReport {
  sent: number
  answered: number
  failed: number
  /** How often what went wrong, such as `ECONNRESET on a kept connection` or `status 502`. */
  failures: Record<string, number>
  /** When what failed was sent, and when it failed, in ms since the epoch; the first thousand of them. */
  failedAt: Array<{ sentMs: number; failedMs: number; how: string }>
  /** Of the answered requests, from before the connection is made to the last byte; 0 where none was answered. */
  latencyMs: { p50: number; p99: number; max: number }
  /** Connections that were opened. */
  connections: number
  durationMs: number
  perSecond: number
}

const mostClients = 5000
const mostRequests = 1_000_000
const mostDurationMs = 30 * 60_000
const mostWaitMs = 30_000
/** After a failure a client rests: a refused connection fails so fast that it would do nothing else. */
const restMs = 20

/**
 * Sends requests until `requests`, `durationMs` or `signal` says that it is enough, and waits for the answers to what
 * is under way. Nothing is ever sent again: what fails here is a request that a plain client would have lost.
 *
 * @throws an Error for options out of bounds.
 */
export async function runLoad(options: LoadOptions, signal?: AbortSignal): Promise<LoadReport> {
  check(options)
  const { clients, requests, durationMs, thinkMs = 0, method = 'GET', waitMs = mostWaitMs } = options
  const expectedStatus = options.status ?? (method === 'GET' ? 200 : 405)
  const latencies: number[] = []
  const failures: Record<string, number> = {}
  const failedAt: LoadReport['failedAt'] = []
  let sent = 0
  let connections = 0
  const startedMs = performance.now()

  const enough = (): boolean => sent >= requests || performance.now() - startedMs >= durationMs || signal?.aborted === true

  async function client(): Promise<void> {
    const agent = options.connections === 'kept' ? new Agent({ keepAlive: true, maxSockets: 1 }) : undefined
    while (!enough()) {
      sent++
      const sentMs = Date.now()
      const beganMs = performance.now()
      const how = await ask(agent)
      if (how === undefined) {
        latencies.push(performance.now() - beganMs)
        if (thinkMs > 0) await sleep(thinkMs * (0.5 + Math.random()))
      } else {
        failures[how] = (failures[how] ?? 0) + 1
        if (failedAt.length < 1000) failedAt.push({ sentMs, failedMs: Date.now(), how })
        await sleep(restMs)
      }
    }
    agent?.destroy()
  }

  /** One request: resolves with nothing where it was answered, else with what went wrong. */
  function ask(agent: Agent | undefined): Promise<string | undefined> {
    return new Promise((resolve) => {
      const body = method === 'POST' ? '{"a":1}' : undefined
      const outgoing = request(
        {
          ...address(options.target),
          method,
          path: options.path ?? '/health',
          headers: {
            Host: options.hostHeader ?? 'localhost',
            ...(body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': body.length }),
            ...(agent === undefined ? { Connection: 'close' } : {})
          },
          agent: agent ?? false
        },
        (response) => {
          response.resume()
          response.once('end', () => end(response.statusCode === expectedStatus ? undefined : `status ${response.statusCode}`))
          response.once('error', fail)
        }
      )
      const timer = setTimeout(() => {
        end(`no answer within ${waitMs} ms`)
        outgoing.destroy()
      }, waitMs)
      function end(how: string | undefined): void {
        clearTimeout(timer)
        resolve(how)
      }
      function fail(error: NodeJS.ErrnoException): void {
        const what = error.syscall === 'connect' ? `connect ${error.code}` : (error.code ?? error.message)
        end(outgoing.reusedSocket ? `${what} on a kept connection` : what)
      }
      outgoing.once('socket', () => {
        if (!outgoing.reusedSocket) connections++
      })
      outgoing.on('error', fail)
      outgoing.end(body)
    })
  }

  await Promise.all(Array.from({ length: clients }, client))
  const tookMs = performance.now() - startedMs
  latencies.sort((a, b) => a - b)
  const quantile = (share: number): number => Math.round((latencies[Math.ceil(latencies.length * share) - 1] ?? 0) * 10) / 10
  return {
    sent,
    answered: latencies.length,
    failed: sent - latencies.length,
    failures,
    failedAt,
    latencyMs: { p50: quantile(0.5), p99: quantile(0.99), max: quantile(1) },
    connections,
    durationMs: Math.round(tookMs),
    perSecond: Math.round((latencies.length * 1000) / tookMs)
  }
}

/** A report as one line for a person: `50 sent on 4 connections, 0 failed; p50 1 ms, p99 9 ms, longest 612 ms`. */
export function described({ sent, failed, failures, latencyMs, connections }: LoadReport): string {
  const how = Object.entries(failures).map(([what, count]) => `${count} ${what}`)
  return (
    `${sent} sent on ${connections} connections, ${failed} failed${how.length > 0 ? ` (${how.join(', ')})` : ''}; ` +
    `p50 ${latencyMs.p50} ms, p99 ${latencyMs.p99} ms, longest ${latencyMs.max} ms`
  )
}

function address(target: LoadOptions['target']): RequestOptions {
  if ('host' in target) return target
  return { socketPath: typeof target.socketPath === 'string' ? target.socketPath : target.socketPath() }
}

function check({ target, clients, requests, durationMs, thinkMs = 0, waitMs = mostWaitMs }: LoadOptions): void {
  const within = (name: string, value: number, least: number, most: number): void => {
    if (!(value >= least && value <= most)) throw new Error(`${name}: expected ${least} to ${most}, got ${value}`)
  }
  if ('host' in target) {
    const loopback = (isIP(target.host) === 4 && target.host.startsWith('127.')) || target.host === '::1'
    if (!loopback) throw new Error(`target: expected an address of the loopback interface, got ${target.host}`)
  }
  within('clients', clients, 1, mostClients)
  within('requests', requests, 1, mostRequests)
  within('durationMs', durationMs, 1, mostDurationMs)
  within('thinkMs', thinkMs, 0, 60_000)
  within('waitMs', waitMs, 1, mostWaitMs)
}
