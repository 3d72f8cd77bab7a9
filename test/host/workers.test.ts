import { setTimeout as sleep } from 'node:timers/promises'
import { startLoad } from '../load/in-host.js'
import { described } from '../load/load.js'
import { bootHost, type Host } from './host.js'
import { curlHealth, pacmanU, pushPackage } from './pacman.js'
import { test } from './test.js'

const restarts = process.env['PROOF'] === 'full' ? 20 : 3

let host: Host

test.before(async (t) => {
  t.timeout(600_000)
  host = await bootHost()
  await pacmanU(host, await pushPackage(host))
  await host.sh("printf 'WORKERS=4\\nIDLE_TIMEOUT=1\\n' >> /etc/fastAPI/fastAPI.env; systemctl try-restart fastAPI-unix.service")
})

test.after.always(async () => {
  await host?.stop()
})

const target = { socketPath: '/run/fastAPI/fastAPI.sock' }
const processes = async () =>
  Number(await host.sh('cat /sys/fs/cgroup/system.slice/fastAPI-unix.service/cgroup.procs 2>/dev/null | wc -l'))

for (const connections of ['new', 'kept'] as const) {
  test(`restarts with WORKERS=4 lose no request, ${connections === 'new' ? 'each on a connection of its own' : 'on kept connections'}`, async (t) => {
    t.timeout(300_000)
    const load = await startLoad(host, { target, connections, clients: 8, thinkMs: 5, requests: 1_000_000, durationMs: 240_000 })
    for (let count = 0; count < restarts; count++) {
      await host.sh('systemctl restart fastAPI-unix.service')
      await sleep(500)
    }
    t.is(await processes(), 5)
    const report = await load.stop()
    t.log(described(report))
    t.is(report.failed, 0)
    t.true(report.answered > 0)
  })
}

test('all of them leave once nobody is connected, and the next request is answered', async (t) => {
  t.timeout(120_000)
  for (let count = 0; count < restarts; count++) {
    t.is(await curlHealth(host), '{"status":"ok"}')
    for (let polls = 0; (await processes()) > 0; polls++) {
      t.true(polls < 100)
      await sleep(200)
    }
  }
  t.is((await host.sh('systemctl show -P NRestarts,Result fastAPI-unix.service')).trim().split(/\s+/).join(), 'success,0')
})
