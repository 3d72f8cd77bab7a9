import { setTimeout as sleep } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { startLoad, type RunningLoad } from '../load/in-host.js'
import { described, type LoadOptions } from '../load/load.js'
import { full, sized } from '../proof.js'
import { bootHost, type Host } from './host.js'
import { putNode, type NodeMajor } from './nodes.js'
import { pacmanU, pushPackage } from './pacman.js'
import { test } from './test.js'

// Clients of every kind, inside the host, while the service is restarted, upgraded, rolled back and left to leave by
// itself. Not one request may fail: the clients send nothing twice.

type Clients = Pick<LoadOptions, 'method' | 'connections' | 'clients' | 'thinkMs'>

const socket = { socketPath: '/run/fastAPI/fastAPI.sock' }
const nginx = { host: '127.0.0.1', port: 80 }
const bounds = { requests: 1_000_000, durationMs: 15 * 60_000, hostHeader: 'fastapi.localhost' }

const onTheSocket: Record<string, Clients> = {
  'a connection for each request': { connections: 'new', clients: 4 },
  'busy kept connections': { connections: 'kept', clients: 4 },
  // Pauses below DRAIN_GRACE, half a second: a longer one needs the retry that HTTP has for kept connections.
  'kept connections with pauses': { connections: 'kept', clients: 20, thinkMs: 200 }
}
const throughNginx: Record<string, Clients> = {
  'GET through nginx': { connections: 'kept', clients: 4 },
  'POST through nginx': { connections: 'kept', clients: 4, method: 'POST' }
}

let host: Host
let older = ''
let newer = ''

test.before(async (t) => {
  t.timeout(600_000)
  host = await bootHost()
  older = await pushPackage(host, { version: '1.0.0' })
  newer = await pushPackage(host, { version: '1.1.0' })
  await pacmanU(host, older)
  await host.sh(`sed -i '/^http {/a include /etc/nginx/fastAPI/*.conf;' /etc/nginx/nginx.conf && systemctl start nginx`)
})

test.after.always(async () => {
  await host?.stop()
})

/** Runs `work` while clients of every kind ask; every request has to be answered. Returns how many there were. */
async function noneIsLost(t: ExecutionContext, work: () => Promise<void>): Promise<number> {
  const start = (target: typeof socket | typeof nginx, kinds: Record<string, Clients>) =>
    Object.entries(kinds).map(async ([name, clients]): Promise<[string, RunningLoad]> => [
      name,
      await startLoad(host, { ...bounds, ...clients, target })
    ])
  const loads = await Promise.all([...start(socket, onTheSocket), ...start(nginx, throughNginx)])
  await work()
  let sent = 0
  for (const [name, load] of loads) {
    const report = await load.stop()
    t.log(`${name}: ${described(report)}`)
    t.is(report.failed, 0, `${name}: ${described(report)}`)
    t.true(report.answered > 0)
    sent += report.sent
  }
  t.log(`${sent} requests in all`)
  t.is(await host.sh('systemctl --failed --legend=no'), '')
  return sent
}

async function restart(times: number): Promise<void> {
  for (let count = 0; count < times; count++) {
    await host.sh('systemctl restart fastAPI-unix.service')
    await sleep(Math.random() * 1000)
  }
}

/** Has the service leave for being idle so many times, while requests arrive at about those times. */
async function idleExits(t: ExecutionContext, times: number): Promise<void> {
  const exits = async () => Number(await host.sh('journalctl -q -u fastAPI-unix.service --grep "^Starting " -o cat | wc -l'))
  await host.write('/run/systemd/system/fastAPI-unix.service.d/idle.conf', '[Service]\nEnvironment=IDLE_TIMEOUT=0.05\n')
  await host.sh('systemctl daemon-reload && systemctl --no-warn stop fastAPI-unix.service')
  const before = await exits()
  // Pauses between half and one and a half of the idle time: about as many requests find the process as miss it.
  const load = await startLoad(host, { ...bounds, target: socket, connections: 'new', clients: 1, thinkMs: 55, durationMs: 3000 * times })
  let over = false
  void load.report.then(() => (over = true))
  while (!over && (await exits()) - before <= times) await sleep(500)
  const report = await load.stop()
  const seen = (await exits()) - before - 1
  t.log(`${seen} idle exits: ${described(report)}`)
  t.is(report.failed, 0, described(report))
  t.true(seen >= times, `${seen} idle exits`)
  t.true(report.sent > seen * 1.1, `${report.sent} requests in ${seen} idle exits: none found a running process`)
  await host.sh('rm -r /run/systemd/system/fastAPI-unix.service.d && systemctl daemon-reload')
}

test('no request is lost while the service restarts, is upgraded and is rolled back', async (t) => {
  t.timeout(1_200_000)
  const times = sized(2, 10)
  const sent = await noneIsLost(t, async () => {
    await restart(times * 2)
    for (let count = 0; count < times; count++) {
      await pacmanU(host, newer)
      await pacmanU(host, older)
    }
  })
  t.true(sent >= sized(1_000, 50_000), `${sent} requests`)
})

test('no request is lost around the exits of an idle service', async (t) => {
  t.timeout(1_200_000)
  await idleExits(t, sized(12, 500))
})

for (const major of [20, 22, 24, 26] as NodeMajor[]) {
  test(`nor on Node ${major}`, async (t) => {
    t.timeout(1_200_000)
    await putNode(host, major)
    await noneIsLost(t, async () => {
      await restart(sized(2, 10))
      // What pacman does is the same on each of them, and takes its time.
      if (full) await pacmanU(host, newer)
      if (full) await pacmanU(host, older)
    })
    await idleExits(t, sized(4, 50))
  })
}

test('nor with two processes', async (t) => {
  t.timeout(1_200_000)
  await host.sh('echo WORKERS=2 >> /etc/fastAPI/fastAPI.env')
  await noneIsLost(t, () => restart(sized(2, 20)))
  await idleExits(t, sized(4, 100))
})
