import { request as httpRequest, type RequestOptions } from 'node:http'

/** What came back for a request for health. */
export interface Answer {
  status: number
  contentType: string
  body: string
}

/** Whom to ask: the path of a Unix socket, or an http: or https: URL, there by its own name or as `host`. */
export type Target = { socketPath: string } | { url: URL; host?: string }

/** Bytes of an answer that are read at most; a health document is far smaller. */
const mostBytes = 64 * 1024

/**
 * Sends one GET and reads the whole answer.
 *
 * @param timeoutMs - bound for everything, from connecting to the last byte.
 * @throws the error of connect(2) with its `code`, or an error with code `ETIMEDOUT`.
 */
export function ask(target: Target, accept: string, timeoutMs: number): Promise<Answer> {
  const headers = { Accept: accept, Connection: 'close' }
  const request = 'url' in target && target.url.protocol === 'https:' ? loadHttps().request : httpRequest
  const options: RequestOptions =
    'url' in target
      ? { ...urlOptions(target.url), headers: target.host === undefined ? headers : { ...headers, Host: target.host } }
      : { socketPath: target.socketPath, path: '/health', headers: { ...headers, Host: 'localhost' } }
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      outgoing.destroy(Object.assign(new Error(`no complete answer within ${timeoutMs / 1000} s`), { code: 'ETIMEDOUT' }))
    }, timeoutMs)
    const outgoing = request(options, (response) => {
      const chunks: Buffer[] = []
      let length = 0
      response.on('data', (chunk: Buffer) => {
        length += chunk.length
        if (length > mostBytes) outgoing.destroy(new Error(`expected a health document, got more than ${mostBytes} bytes`))
        else chunks.push(chunk)
      })
      response.on('end', () => {
        clearTimeout(timer)
        resolve({
          status: response.statusCode ?? 0,
          contentType: response.headers['content-type'] ?? '',
          body: Buffer.concat(chunks).toString()
        })
      })
      response.on('error', fail)
    })
    function fail(error: Error): void {
      clearTimeout(timer)
      reject(error)
    }
    outgoing.on('error', fail)
    outgoing.end()
  })
}

/** TLS takes its time to load, and hardly any question needs it. */
function loadHttps(): typeof import('node:https') {
  return require('node:https') as typeof import('node:https')
}

function urlOptions({ protocol, hostname, port, pathname, search }: URL): RequestOptions {
  return { hostname: hostname.replace(/^\[|\]$/g, ''), port: port || (protocol === 'https:' ? 443 : 80), path: pathname + search }
}
