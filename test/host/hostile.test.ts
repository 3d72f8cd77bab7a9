import { execFile } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'
import { sendGarbage } from '../hostile/garbage.js'
import { reportAll, type CaseReport } from '../hostile/main.js'
import { runLoad } from '../load/load.js'
import { bootHost, type Host } from './host.js'
import { curlHealth, pacmanU, pushPackage } from './pacman.js'
import { test } from './test.js'

let host: Host
let socketPath = ''

const full = process.env['PROOF'] === 'full'
const service = 'fastAPI-unix.service'

test.before(async (t) => {
  t.timeout(600_000)
  host = await bootHost()
  await pacmanU(host, await pushPackage(host))
  await host.sh('fastapi-health nginx enable; systemctl start nginx.service')
  // The same socket, as the machine sees it: clients need nothing of the host.
  socketPath = `/proc/${host.initPid}/root/run/fastAPI/fastAPI.sock`
  await host.write(`/run/systemd/system/${service}.d/debug.conf`, '[Service]\nEnvironment=LOG_LEVEL=debug\n')
  await host.sh('systemctl daemon-reload')
})

test.after.always(async () => {
  await host?.stop()
})

interface State {
  pid: string
  restarts: string
  peakMib: number
}

async function state(): Promise<State> {
  const [pid = '', restarts = ''] = (await host.sh(`systemctl show -P MainPID -P NRestarts ${service}`)).trim().split('\n')
  const peakKib = (await host.sh(`awk '/VmHWM/ { print $2 }' /proc/${pid}/status`)).trim()
  return { pid, restarts, peakMib: Math.round(Number(peakKib) / 1024) }
}

/** The same process as before, with bounded memory, that still answers and logged nothing but what it means to log. */
async function isUnharmed(t: ExecutionContext, before: State): Promise<void> {
  t.is(await curlHealth(host), '{"status":"ok"}')
  const { pid, restarts, peakMib } = await state()
  t.is(pid, before.pid)
  t.is(restarts, before.restarts)
  t.log(`the same process, its resident memory at its highest ${peakMib} MiB`)
  t.true(peakMib < 400)
  const foreign = "grep -vE '^(\\{\"level\":\"debug\",.*\\}|\\{\"level\":\"info\",.*\\})$' | head -5"
  t.is(await host.sh(`journalctl --sync; journalctl _PID=${pid} -o cat --no-pager | ${foreign}; true`), '')
  t.is(await host.sh(`journalctl _PID=${pid} -o cat --no-pager -p 4`), '')
}

function areAsExpected(t: ExecutionContext, reports: CaseReport[]): void {
  t.true(reports.length >= 60)
  for (const { title, expected, got, faults } of reports) {
    t.is(got, expected, title)
    t.deepEqual(faults, [], title)
  }
  t.log(reports.map(({ title, got }) => `${got.padEnd(12)} ${title}`).join('\n'))
}

test('hostile requests on the socket are answered as the table says', async (t) => {
  await curlHealth(host)
  const before = await state()
  areAsExpected(t, await reportAll({ path: socketPath }, 'socket'))
  await isUnharmed(t, before)
})

test('so are hostile requests through nginx', async (t) => {
  await curlHealth(host)
  const before = await state()
  const play = ['--target', String(host.initPid), '--net', process.execPath, join(__dirname, '../hostile/main.js'), '80']
  const { stdout } = await promisify(execFile)('nsenter', play, { maxBuffer: 64 * 1024 * 1024 })
  areAsExpected(t, JSON.parse(stdout) as CaseReport[])
  await isUnharmed(t, before)
})

test('generated garbage does no harm to the service in its sandbox', async (t) => {
  t.timeout(900_000)
  await curlHealth(host)
  const before = await state()
  const run = await sendGarbage({ path: socketPath }, 2, full ? 600_000 : 4_000)
  t.log(`${run.connections} connections, answers ${JSON.stringify(run.answers)}`)
  t.deepEqual(run.faults, [])
  await isUnharmed(t, before)
})

/** A connection that has had one answer and now says nothing. */
async function idleConnection(): Promise<Socket> {
  const socket = connect(socketPath)
  socket.on('error', () => {})
  socket.write('GET /health HTTP/1.1\r\nHost: idle\r\n\r\n')
  await new Promise((resolve) => socket.once('data', resolve))
  return socket
}

test('2,000 idle and 500 busy connections at once are held, and every request is answered', async (t) => {
  t.timeout(300_000)
  await host.sh(`rm -r /run/systemd/system/${service}.d; mkdir /run/systemd/system/${service}.d`)
  await host.write(`/run/systemd/system/${service}.d/idle.conf`, '[Service]\nEnvironment=KEEP_ALIVE_TIMEOUT=600\n')
  await host.sh(`systemctl daemon-reload; systemctl restart ${service}`)
  const before = await state()
  const idle = await Promise.all(Array.from({ length: 2_000 }, idleConnection))
  const report = await runLoad({ target: { socketPath }, connections: 'kept', clients: 500, requests: 1_000_000, durationMs: full ? 60_000 : 4_000 })
  const open = idle.filter((socket) => !socket.closed && !socket.destroyed).length
  const held = Number(await host.sh(`ls /proc/${before.pid}/fd | wc -l`))
  for (const socket of idle) socket.destroy()
  t.log(`${report.answered} of ${report.sent} requests answered beside ${open} idle connections, p99 ${Math.round(report.latencyMs.p99)} ms, ${held} descriptors`)
  t.is(open, 2_000)
  t.is(report.failed, 0, JSON.stringify(report.failures))
  await isUnharmed(t, before)
})

test('out of descriptors: who was let in is answered, and so is everyone once some leave, without a restart', async (t) => {
  await host.write(`/run/systemd/system/${service}.d/few.conf`, '[Service]\nLimitNOFILE=100\n')
  await host.sh(`systemctl daemon-reload; systemctl restart ${service}`)
  t.is(await curlHealth(host), '{"status":"ok"}')
  const before = await state()
  let refused = 0
  const sockets: Socket[] = []
  for (let count = 0; count < 400; count++) {
    const socket = connect(socketPath)
    socket.on('error', () => {})
    socket.on('close', () => refused++)
    sockets.push(socket)
  }
  await sleep(1_000)
  const refusedMeanwhile = refused
  const meanwhile = (await host.run('curl -sS -m 2 --unix-socket /run/fastAPI/fastAPI.sock http://localhost/health 2>&1')).stdout
  const waiting = host.run('curl -sS -m 30 --retry 100 --retry-delay 1 --retry-all-errors --unix-socket /run/fastAPI/fastAPI.sock http://localhost/health')
  await sleep(500)
  for (const socket of sockets) socket.destroy()
  t.regex((await waiting).stdout, /\{"status":"ok"\}$/)
  t.log(`of 400 connections with 100 descriptors ${refusedMeanwhile} were closed unanswered; a client meanwhile: ${meanwhile.trim()}`)
  await isUnharmed(t, before)
  await host.sh(`rm -r /run/systemd/system/${service}.d; systemctl daemon-reload`)
})
