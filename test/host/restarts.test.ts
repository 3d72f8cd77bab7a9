import { startLoad } from '../load/in-host.js'
import { described } from '../load/load.js'
import { bootHost, type Host } from './host.js'
import { nodePackage } from './nodes.js'
import { curlHealth, pacmanU, pushPackage, servingRelease } from './pacman.js'
import { test } from './test.js'

let host: Host
let older = ''
let newer = ''
let otherSocket = ''

test.before(async (t) => {
  t.timeout(600_000)
  host = await bootHost()
  older = await pushPackage(host, { version: '1.0.0' })
  newer = await pushPackage(host, { version: '1.1.0' })
  otherSocket = await pushPackage(host, { version: '1.2.0', edit: "sed -i 's/^SocketMode=.*/SocketMode=0600/' dist-units/fastAPI-unix.socket" })
  await pacmanU(host, older)
})

test.after.always(async () => {
  await host?.stop()
})

const show = async (unit: string, property: string) => (await host.sh(`systemctl show -P ${property} ${unit}`)).trim()
const socketSince = () => show('fastAPI-unix.socket', 'ActiveEnterTimestampMonotonic')
const starts = async () => Number(await host.sh('journalctl -q -u fastAPI-unix.service --grep "^Starting " -o cat | wc -l'))

test('an upgrade leaves the socket alone and restarts a running service once, also with nodejs in the same transaction', async (t) => {
  t.timeout(120_000)
  await curlHealth(host)
  const [socket, before] = [await socketSince(), await starts()]
  await pacmanU(host, newer, await nodePackage(host, 22))
  t.is(await starts(), before + 1)
  t.is(await socketSince(), socket)
  t.is(await servingRelease(host), '1.1.0-1')
})

test('an upgrade of nodejs alone restarts a running service, on the new node', async (t) => {
  t.timeout(120_000)
  await curlHealth(host)
  const [socket, before] = [await socketSince(), await starts()]
  await pacmanU(host, await nodePackage(host, 20))
  t.is(await starts(), before + 1)
  t.is(await socketSince(), socket)
  t.regex(await host.sh('/proc/$(systemctl show -P MainPID fastAPI-unix.service)/exe --version'), /^v20\./)
})

test('so does a change to another package of nodejs, as to one of the LTS releases', async (t) => {
  t.timeout(120_000)
  await curlHealth(host)
  const [socket, before] = [await socketSince(), await starts()]
  const lts = await host.sh(
    `provide-package nodejs-lts-other "$(pacman -Q nodejs | cut -d' ' -f2)" /root --provides "$(pacman -Q nodejs | tr ' ' =)" --conflict nodejs -- usr/bin/node`
  )
  // 4: yes to the question whether the package that it conflicts with is to be removed.
  await host.sh(`pacman -U --noconfirm --ask 4 ${lts.trim()}`)
  t.regex(await host.sh('pacman -Qo /usr/bin/node'), /nodejs-lts-other/)
  t.is(await starts(), before + 1)
  t.is(await socketSince(), socket)
})

test('an upgrade whose socket unit differs makes the socket anew, and the service goes on', async (t) => {
  await curlHealth(host)
  const socket = await socketSince()
  const target = { socketPath: '/run/fastAPI/fastAPI.sock' }
  // By root, whom the new mode of this socket does not keep out.
  const load = await startLoad(host, { target, connections: 'new', clients: 4, thinkMs: 10, requests: 1_000_000, durationMs: 120_000 }, 'root')
  await pacmanU(host, otherSocket)
  const report = await load.stop()
  t.log(`the socket is away for a moment: ${described(report)}`)
  t.true(report.answered > 0)
  t.not(await socketSince(), socket)
  t.is(await host.sh('stat --format %a /run/fastAPI/fastAPI.sock'), '600\n')
  t.is(await servingRelease(host), '1.2.0-1')
  t.is(await host.sh('systemctl is-active fastAPI-unix.socket fastAPI-unix.service'), 'active\nactive\n')
})

test('a socket that the administrator stopped stays stopped', async (t) => {
  await host.sh('systemctl stop fastAPI-unix.socket')
  await pacmanU(host, older)
  t.is((await host.run('systemctl is-active fastAPI-unix.socket fastAPI-unix.service')).stdout, 'inactive\ninactive\n')
  await host.sh('systemctl start fastAPI-unix.socket')
  t.is(await servingRelease(host), '1.0.0-1')
})
