import { STATUS_CODES, type IncomingMessage, type RequestListener, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** How long a client may take to send its request; nginx hands over only complete ones. */
const requestTimeoutMs = 10_000

/** How often connections are looked over for that. */
const checkIntervalMs = 1_000

const mostHeaderBytes = 16 * 1024
const mostHeaders = 100
const mostBodyBytes = 64 * 1024

/** uri-host [":" port] of RFC 9110, 7.2, by its characters. */
const host = /^[\w.~!$&'()*+,;=%:[\]-]*$/

/**
 * Where the newest response of a connection is kept: a refusal must not overtake it, or it would be taken for it. On the
 * socket itself, as a WeakMap would cost each of the many that live for one request.
 */
const newest = Symbol('newest response')
type Client = Socket & { [newest]?: (ServerResponse & { req: IncomingMessage }) | undefined }

/** Options of node:http's createServer that bound what a client can make the service hold. */
export function serverLimits(keepAliveTimeoutMs: number): ServerOptions {
  return {
    keepAliveTimeout: keepAliveTimeoutMs,
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: checkIntervalMs,
    maxHeaderSize: mostHeaderBytes,
    // Node's own answer to a missing Host has no body.
    requireHostHeader: false
  }
}

/**
 * Puts `listener` on `server` behind the checks that node:http leaves out, and answers what no listener is asked
 * about: what cannot be parsed (400), has too many or too large headers (431), comes too slowly (408), expects what
 * nobody does (417), or wants a tunnel (405). Each refusal is JSON and ends its connection.
 */
export function listenWithin(server: Server, listener: RequestListener): void {
  // One more than allowed tells that there were too many; Node leaves out the rest.
  server.maxHeadersCount = mostHeaders + 1
  server.on('request', (request, response) => {
    ;(request.socket as Client)[newest] = response
    response.on('close', forget)
    const status = problemOf(request)
    if (status !== undefined) {
      refuse(response, status)
      return
    }
    const target = originForm(request.url ?? '')
    if (target === undefined) {
      refuse(response, 404)
      return
    }
    request.url = target
    // No answer depends on a body, so none is waited for. A small one is read and thrown away afterwards: who writes
    // it in a piece of its own would else meet a closed connection, and miss the answer.
    if (!hasSmallBody(request)) response.setHeader('Connection', 'close')
    listener(request, response)
  })
  // 100 Continue would ask for a body that nobody reads: the answer itself comes at once, and whether the body still
  // follows is not for the next request to find out.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    response.setHeader('Connection', 'close')
    server.emit('request', request, response)
  })
  server.on('checkExpectation', (_request, response: ServerResponse) => refuse(response, 417))
  server.on('connect', (_request, socket: Socket) => {
    // Node has let go of the socket: an EPIPE of a client that has gone would end the process.
    socket.on('error', () => socket.destroy())
    socket.write(rawRefusal(405, 'Allow: GET, HEAD, OPTIONS\r\n'))
    socket.destroySoon()
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Client) => {
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy()
      return
    }
    const response = socket[newest]
    const answer = (): void => {
      // Without the end of a body that nobody waits for there is no next request to refuse.
      if (response?.req.complete !== false) socket.write(rawRefusal(statusOf(error)))
      socket.destroySoon()
    }
    if (response === undefined || response.writableFinished) answer()
    else response.once('finish', answer)
  })
}

/**
 * Lets go of an answered response, so that the garbage collector does not find it alive with its connection: that was a
 * tenth of the processor time of a connection for one request. One whose body is still coming is needed until its end.
 */
function forget(this: NonNullable<Client[typeof newest]>): void {
  const client = this.req.socket as Client
  if (client[newest] === this && this.req.complete) client[newest] = undefined
}

/** What RFC 9112 wants refused and node:http lets through; `undefined` where nothing is wrong. */
function problemOf({ rawHeaders, httpVersion }: IncomingMessage): number | undefined {
  if (rawHeaders.length > 2 * mostHeaders) return 431
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 400
  let hosts = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue
    hosts++
    if (!host.test(rawHeaders[index + 1] as string)) return 400
  }
  return hosts === 1 || (hosts === 0 && httpVersion === '1.0') ? undefined : 400
}

/**
 * The path and query of a request target, RFC 9112, 3.2: of the absolute form, which every server must understand,
 * what follows the authority. Koa would hand all but the plainest to url.parse(), which warns in the log of itself.
 */
function originForm(target: string): string | undefined {
  const path = target.startsWith('/') ? target : /^https?:\/\/[^/?#]+(\/[^]*)/i.exec(target)?.[1]
  return path?.replace(/#[^]*/, '')
}

function hasSmallBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) <= mostBodyBytes
}

/** llhttp's and node:http's codes of what went wrong with a request, as a status. */
function statusOf({ code }: NodeJS.ErrnoException): number {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 408
    case 'HPE_HEADER_OVERFLOW':
      return 431
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 413
    default:
      return 400
  }
}

function detail(status: number): string {
  return JSON.stringify({ detail: STATUS_CODES[status] })
}

function refuse(response: ServerResponse, status: number): void {
  const body = detail(status)
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length, Connection: 'close' })
  response.end(body)
}

/** A whole response for a socket that has no ServerResponse. */
function rawRefusal(status: number, headers = ''): string {
  const body = detail(status)
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n` +
    `${headers}Date: ${new Date().toUTCString()}\r\nConnection: close\r\n\r\n${body}`
  )
}
