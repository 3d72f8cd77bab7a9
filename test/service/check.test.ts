import { execFile } from 'node:child_process'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { activateService, node } from './service.js'

interface Ran {
  status: number
  stdout: string
  stderr: string
}

function check(...args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(node, ['build/bundle/index.js', 'check', ...args], (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}

/** A server that answers in its own way; its URL, without a path. */
async function serverThat(t: ExecutionContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function answers(status: number, document: unknown): RequestListener {
  return (_request, response) => {
    response.writeHead(status, { 'Content-Type': 'application/health+json' })
    response.end(typeof document === 'string' ? document : JSON.stringify(document))
  }
}

test('a healthy socket is OK with status 0', async (t) => {
  const { socketPath } = await activateService(t)
  const { status, stdout, stderr } = await check(socketPath)
  t.is(status, 0)
  t.regex(stdout, /^OK: .*service\.sock is healthy \(\d+ ms\)\n$/)
  t.is(stderr, '')
})

test('--json is one line with the status, the target, the time it took and the release', async (t) => {
  const { socketPath } = await activateService(t)
  const { status, stdout } = await check('--json', socketPath)
  t.is(status, 0)
  t.regex(stdout, /^\{.*\}\n$/)
  const report = JSON.parse(stdout) as Record<string, unknown>
  t.is(report['status'], 'ok')
  t.is(report['target'], socketPath)
  t.is(report['message'], 'is healthy')
  t.regex(String(report['releaseId']), /^\d+\.\d+\.\d+.*-\d+$/)
  t.is(typeof report['durationMs'], 'number')
})

test('the plain answer of another server is OK too, and a URL without a path means /health', async (t) => {
  const asked: (string | undefined)[] = []
  const url = await serverThat(t, (request, response) => {
    asked.push(request.url)
    answers(200, '{"status":"ok"}')(request, response)
  })
  t.is((await check(url)).status, 0)
  t.is((await check(`${url}/other?a=1`)).status, 0)
  t.deepEqual(asked, ['/health', '/other?a=1'])
})

test('a warning is healthy: status 0, and the line says what to look at', async (t) => {
  const checks = { 'release:installed': [{ status: 'warn', output: 'installed is 1.0.1-1' }], 'loop:delay': [{ status: 'pass', output: 'no' }] }
  const url = await serverThat(t, answers(200, { status: 'warn', checks }))
  const { status, stdout } = await check(url)
  t.is(status, 0)
  t.regex(stdout, /^WARN: .* is healthy, but: installed is 1\.0\.1-1 \(\d+ ms\)\n$/)
})

test('what a server says cannot steer the terminal, nor make a second line', async (t) => {
  const checks = { x: [{ status: 'warn', output: '\x1b]0;title\x07\x1b[2Jgone\r\nOK: \x9b31mall is well' }] }
  const { stdout } = await check(await serverThat(t, answers(200, { status: 'warn', checks })))
  t.regex(stdout, /^WARN: [\x20-\x7e]+\n$/)
})

test('a document that says fail is FAIL with status 1 and its cause', async (t) => {
  const checks = { 'disk:free': [{ status: 'fail', observedValue: 3, output: 'only 3 MiB\nare free' }] }
  const url = await serverThat(t, answers(503, { status: 'fail', checks }))
  const { status, stdout } = await check(url)
  t.is(status, 1)
  t.regex(stdout, /^FAIL: .* is not healthy: only 3 MiB are free \(\d+ ms\)\n$/)
  t.is((JSON.parse((await check('--json', url)).stdout) as { status: string }).status, 'fail')
})

for (const [name, status, body] of [
  ['a page of something else', 200, '<html>'],
  ['an empty answer', 200, ''],
  ['not found', 404, '{"detail":"Not Found"}'],
  ['an error that says ok', 500, '{"status":"ok"}'],
  ['JSON that is no object', 200, 'null'],
  ['a status of its own', 200, '{"status":"green"}']
] as const) {
  test(`${name} is FAIL with status 1 and what came`, async (t) => {
    const ran = await check(await serverThat(t, answers(status, body)))
    t.is(ran.status, 1)
    t.true(ran.stdout.includes(`expected status 200 with {"status":"ok"}, got status ${status} with ${JSON.stringify(body)}`), ran.stdout)
  })
}

test('where nothing answers it is UNAVAILABLE with status 69', async (t) => {
  const { status, stdout, stderr } = await check('/nonexistent.sock')
  t.is(status, 69)
  t.regex(stdout, /^UNAVAILABLE: \/nonexistent\.sock: connect ENOENT/)
  t.is(stderr, '')
  t.is((JSON.parse((await check('--json', '/nonexistent.sock')).stdout) as { status: string }).status, 'unavailable')
})

test('an answer that does not end within --timeout, and one that is far too long, are UNAVAILABLE', async (t) => {
  const silent = await serverThat(t, () => {})
  t.regex((await check('--timeout', '0.2', silent)).stdout, /^UNAVAILABLE: .*: no complete answer within 0\.2 s/)
  const dripping = await serverThat(t, (_request, response) => {
    const timer = setInterval(() => response.write(' '), 20)
    response.on('close', () => clearInterval(timer))
  })
  t.is((await check('--timeout', '0.3', dripping)).status, 69)
  const endless = await serverThat(t, (_request, response) => response.end('x'.repeat(1024 * 1024)))
  t.regex((await check(endless)).stdout, /^UNAVAILABLE: .*got more than 65536 bytes/)
})

test('what does not speak HTTP is UNAVAILABLE', async (t) => {
  const server = createTcpServer((socket) => socket.end('SSH-2.0-nothing\r\n')).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  t.is((await check(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)).status, 69)
})

test('--wait asks again until the answer is healthy', async (t) => {
  let asked = 0
  const url = await serverThat(t, (request, response) => answers(++asked < 3 ? 503 : 200, asked < 3 ? '' : '{"status":"ok"}')(request, response))
  const { status, stdout } = await check('--wait', '30', url)
  t.is(status, 0)
  t.regex(stdout, /^OK: /)
  t.is(asked, 3)
})

test('--wait gives up in the end, with what it last saw', async (t) => {
  let asked = 0
  const url = await serverThat(t, (request, response) => answers(503, `${++asked}`)(request, response))
  const { status, stdout } = await check('--wait', '6', url)
  t.is(status, 1)
  t.true(asked > 1)
  // The very last question may have been cut short.
  t.true(stdout.includes(`"${asked}"`) || stdout.includes(`"${asked - 1}"`), stdout)
})

test('--help says what the options and the statuses are, with status 0', async (t) => {
  const { status, stdout } = await check('--help')
  t.is(status, 0)
  t.regex(stdout, /^Usage: fastapi-health check[^]*--timeout[^]*--wait[^]*--json[^]*Exit status: 0 healthy, 1 .* 64 .* 69 /)
})

for (const args of [['--timeout', 'soon'], ['--timeout=-1'], ['--wait', '1e9'], ['ftp://x/'], ['relative'], ['/a', '/b'], ['--nothing']]) {
  test(`check ${args.join(' ')} is refused with status 64`, async (t) => {
    const { status, stdout, stderr } = await check(...args)
    t.is(status, 64)
    t.is(stdout, '')
    t.regex(stderr, /^fastapi-health: check: /)
  })
}
