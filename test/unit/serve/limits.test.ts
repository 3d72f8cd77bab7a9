import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import test, { type ExecutionContext } from 'ava'
import { listenWithin, serverLimits } from '../../../src/serve/limits.js'

async function startServer(t: ExecutionContext): Promise<Server> {
  const server = createServer(serverLimits(5_000))
  listenWithin(server, (request, response) => response.end(request.url))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return server
}

async function answerTo(t: ExecutionContext, text: string): Promise<string> {
  const server = await startServer(t)
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  let received = ''
  socket.on('data', (chunk: Buffer) => (received += chunk.toString()))
  socket.on('error', () => {})
  socket.write(text)
  await once(socket, 'close')
  return received
}

test('a refusal is JSON that names the status, with its length, a date and the end of the connection', async (t) => {
  const answer = await answerTo(t, 'nonsense\r\n\r\n')
  t.regex(
    answer,
    /^HTTP\/1\.1 400 Bad Request\r\nContent-Type: application\/json\r\nContent-Length: 24\r\nDate: [^\r]+ GMT\r\nConnection: close\r\n\r\n\{"detail":"Bad Request"\}$/
  )
})

test('a refusal comes after the answers of the requests before it', async (t) => {
  const answer = await answerTo(t, 'GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n\r\n')
  t.regex(answer, /^HTTP\/1\.1 200 [^]*\/a[^]*HTTP\/1\.1 200 [^]*\/b[^]*HTTP\/1\.1 400 /)
})

for (const [target, seen] of [
  ['/a?b', '/a?b'],
  ['/a#b', '/a'],
  ['http://example.com/a?b', '/a?b'],
  ['HTTPS://user@example.com:80/', '/']
] as const) {
  test(`the application sees the target ${target} as ${seen}`, async (t) => {
    const answer = await answerTo(t, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    t.true(answer.endsWith(`\r\n\r\n${seen}`) || answer.includes(`\r\n${seen}\r\n`), answer)
  })
}

test('an answer to a request with a large body ends the connection, and does not wait for the body', async (t) => {
  const answer = await answerTo(t, 'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n')
  t.regex(answer, /^HTTP\/1\.1 200 OK\r\n(?=[^]*Connection: close\r\n)/)
})

test('a small body is read and thrown away, and the connection goes on', async (t) => {
  const request = 'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody'
  const answer = await answerTo(t, `${request}GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
  t.regex(answer, /^HTTP\/1\.1 200 OK[^]*\/a[^]*HTTP\/1\.1 200 OK[^]*\/b/)
})
