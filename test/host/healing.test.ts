import { setTimeout as sleep } from 'node:timers/promises'
import { startLoad, type HostLoadOptions, type RunningLoad } from '../load/in-host.js'
import { described, runLoad, type LoadReport } from '../load/load.js'
import { sized } from '../proof.js'
import { bootHost, type Host } from './host.js'
import { curlHealth, pacmanU, pushPackage } from './pacman.js'
import { test } from './test.js'

// What goes wrong heals by itself: whoever connected meanwhile is answered, and nobody resets anything by hand.

const path = '/run/fastAPI/fastAPI.sock'
/** RestartMaxDelaySec= of the service: the longest pause between two tries to start. */
const longestStepMs = 3000

let host: Host

test.before(async (t) => {
  t.timeout(600_000)
  host = await bootHost()
  await pacmanU(host, await pushPackage(host))
  await host.sh(`sed -i '/^http {/a include /etc/nginx/fastAPI/*.conf;' /etc/nginx/nginx.conf && systemctl start nginx`)
  await host.sh('systemctl --no-warn stop fastAPI-unix.service')
})

test.after.always(async () => {
  await host?.stop()
})

const stop = () => host.sh('systemctl --no-warn stop fastAPI-unix.service')
const show = async (property: string, unit = 'fastAPI-unix.service') => (await host.sh(`systemctl show -P ${property} ${unit}`)).trim()
const failedUnits = () => host.sh('systemctl --failed --legend=no')
const load = (options: Partial<HostLoadOptions>): Promise<RunningLoad> =>
  startLoad(host, { target: { socketPath: path }, connections: 'new', clients: 4, requests: 1_000_000, durationMs: 10 * 60_000, ...options })

/** Every state of the socket's unit while `work` is done, as systemd tells it every 50 ms. */
async function socketStates(work: () => Promise<void>): Promise<string[]> {
  const watch = host.spawn('while sleep 0.05; do systemctl show -P SubState fastAPI-unix.socket; done', { stdio: ['ignore', 'pipe', 'ignore'] })
  const seen = new Set<string>()
  watch.stdout?.on('data', (chunk: Buffer) => chunk.toString().trim().split('\n').forEach((state) => seen.add(state)))
  await work()
  watch.kill()
  return [...seen].sort()
}

for (const [clients, way] of [
  [1000, 'on the socket'],
  [400, 'through nginx']
] as const) {
  test(`${clients} clients that come at once ${way} to a stopped service are all answered`, async (t) => {
    t.timeout(120_000)
    await stop()
    const burst = { clients, requests: clients, hostHeader: 'fastapi.localhost' }
    const report = await (await load(way === 'through nginx' ? { ...burst, target: { host: '127.0.0.1', port: 80 } } : burst)).report
    t.log(described(report))
    t.is(report.answered, clients, described(report))
    t.is(await failedUnits(), '')
  })
}

for (const file of ['/usr/lib/fastapi-health/index.js', '/usr/bin/node']) {
  test(`while ${file} is missing for two seconds clients wait, and nothing has to be reset`, async (t) => {
    t.timeout(120_000)
    await stop()
    const polling = await load({ clients: 50, thinkMs: 50 })
    await host.sh(`sleep 0.5; mv ${file} /root/away; systemctl --no-warn stop fastAPI-unix.service; sleep 2; mv /root/away ${file}`)
    const report = await polling.stop()
    t.log(described(report))
    t.is(report.failed, 0, described(report))
    t.true(Number(await show('NRestarts')) > 0, 'nothing was started while it was missing')
    t.is(await failedUnits(), '')
  })
}

test('clients of a service that crashes for as long as a setting is bad are answered once it is mended', async (t) => {
  t.timeout(180_000)
  await stop()
  await host.sh(`sed -i '$a IDLE_TIMEOUT=soon' /etc/fastAPI/fastAPI.env`)
  let report: LoadReport | undefined
  let mendedMs = 0
  const states = await socketStates(async () => {
    const first = await load({ clients: 1, requests: 1, waitMs: 1000 })
    t.is((await first.report).answered, 0)
    await sleep(sized(3_000, 40_000))
    // Those who wait for the end of it come as late as that they need not wait longer than clients do.
    const waiting = await load({ requests: 4, waitMs: 30_000 })
    await sleep(sized(2_000, 20_000))
    await host.sh(`sed -i '$d' /etc/fastAPI/fastAPI.env`)
    mendedMs = Date.now()
    report = await waiting.report
  })
  const tries = Number(await show('NRestarts'))
  t.log(`after ${tries} tries answered ${Date.now() - mendedMs} ms after it was mended; ${described(report as LoadReport)}`)
  t.is(report?.answered, 4)
  t.true(tries > 0)
  t.is(await show('RestartMaxDelayUSec'), `${longestStepMs / 1000}s`)
  t.true(states.includes('running'))
  t.deepEqual(states.filter((state) => state !== 'listening' && state !== 'running'), [])
  t.is(await failedUnits(), '')
})

test('giving up a restart into a bad setting leaves alone what is tried again, and who waits', async (t) => {
  await host.sh(`sed -i '$a IDLE_TIMEOUT=soon' /etc/fastAPI/fastAPI.env`)
  await stop()
  const waiting = await load({ requests: 4 })
  const states = await socketStates(async () => {
    // As when an administrator presses Ctrl-C: the command would wait until the setting is mended.
    t.is((await host.run('timeout --signal=INT 2 systemctl restart fastAPI-unix.service')).code, 124)
  })
  t.deepEqual(states.filter((state) => state !== 'listening' && state !== 'running'), [])
  await host.sh(`sed -i '$d' /etc/fastAPI/fastAPI.env`)
  const report = await waiting.report
  t.is(report.failed, 0, described(report))
  t.is(await curlHealth(host), '{"status":"ok"}')
})

test('SIGKILL under load costs at most the requests under way; nobody is refused, and the next is answered', async (t) => {
  t.timeout(400_000)
  const kinds: Array<Partial<HostLoadOptions>> = [{}, { connections: 'kept' }, { connections: 'kept', thinkMs: 50 }]
  for (const kind of kinds) {
    await stop()
    const polling = await load({ clients: 8, ...kind })
    const times = sized(2, 10)
    for (let count = 0; count < times; count++) {
      await sleep(300)
      await host.sh('systemctl kill --signal=SIGKILL fastAPI-unix.service')
      t.is(await curlHealth(host), '{"status":"ok"}')
    }
    const report = await polling.stop()
    t.log(`killed ${times} times: ${described(report)}`)
    t.true(report.failed <= 8 * times, described(report))
    t.true(report.answered > 0)
    // Connections that were made and then lost; none was refused, and none was left without an answer.
    t.deepEqual(Object.keys(report.failures).filter((how) => !/^(ECONNRESET|EPIPE)( on a kept connection)?$/.test(how)), [])
  }
  t.is(await failedUnits(), '')
})

test('an upgrade of systemd, which executes itself anew, is noticed neither by the service nor by its clients', async (t) => {
  await host.write('/run/systemd/system/fastAPI-unix.service.d/short.conf', '[Service]\nWatchdogSec=1s\n')
  await host.sh('systemctl daemon-reload')
  await stop()
  const polling = await load({ thinkMs: 20 })
  t.is(await curlHealth(host), '{"status":"ok"}')
  const before = await show('MainPID')
  await host.sh('systemctl daemon-reload; systemctl daemon-reexec')
  // Long enough that the watchdog would end a service that systemd no longer hears.
  await sleep(3000)
  const report = await polling.stop()
  t.log(described(report))
  t.is(report.failed, 0)
  t.is(await show('MainPID'), before)
  t.is(await show('NRestarts'), '0')
  await host.sh('rm -r /run/systemd/system/fastAPI-unix.service.d && systemctl daemon-reload')
})

test('clients outside the host are refused only while it is down', async (t) => {
  t.timeout(180_000)
  const enough = new AbortController()
  const polling = runLoad(
    {
      target: { socketPath: () => `/proc/${host.initPid}/root${path}` },
      connections: 'new',
      clients: 4,
      thinkMs: 20,
      requests: 1_000_000,
      durationMs: 150_000
    },
    enough.signal
  )
  const downs: Array<{ fromMs: number; toMs: number }> = []
  for (let count = 0; count < sized(1, 5); count++) {
    await sleep(1000)
    const fromMs = Date.now()
    await host.reboot()
    downs.push({ fromMs, toMs: Date.now() })
  }
  await sleep(1000)
  enough.abort()
  const report = await polling
  t.log(`down for ${downs.map(({ fromMs, toMs }) => `${toMs - fromMs} ms`).join(', ')}: ${described(report)}`)
  const isDown = (atMs: number) => downs.some(({ fromMs, toMs }) => atMs >= fromMs && atMs <= toMs)
  t.deepEqual(report.failedAt.filter(({ failedMs, sentMs }) => !isDown(failedMs) && !isDown(sentMs)), [])
  t.true(report.failed > 0)
  t.true(report.answered > 0)
  t.is(await failedUnits(), '')
})
