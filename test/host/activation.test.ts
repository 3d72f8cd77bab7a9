import { curlHealth, pacmanU, pushPackage } from './pacman.js'
import { bootHost, type Host } from './host.js'
import { test } from './test.js'

let host: Host
let older = ''
let newer = ''

test.beforeEach(async (t) => {
  t.timeout(600_000)
  host = await bootHost()
  older = await pushPackage(host, { version: '1.0.0' })
  newer = await pushPackage(host, { version: '1.1.0' })
})

test.afterEach.always(async () => {
  await host?.stop()
})

const socketState = async () =>
  (await host.run('systemctl is-enabled fastAPI-unix.socket; systemctl is-active fastAPI-unix.socket')).stdout.trim().split('\n')

test("an administrator's preset that disables the socket is respected on install and on upgrade", async (t) => {
  await host.write('/etc/systemd/system-preset/10-mine.preset', 'disable fastAPI-unix.socket\n')
  t.regex(await pacmanU(host, older), /^fastapi-health: .*disabled/m)
  t.deepEqual(await socketState(), ['disabled', 'inactive'])
  await pacmanU(host, newer)
  t.deepEqual(await socketState(), ['disabled', 'inactive'])
  await host.sh('systemctl enable --now fastAPI-unix.socket')
  t.is(await curlHealth(host), '{"status":"ok"}')
})

test('a masked socket stays masked on install and on upgrade', async (t) => {
  await host.sh('systemctl mask fastAPI-unix.socket')
  t.regex(await pacmanU(host, older), /^fastapi-health: .*masked/m)
  t.deepEqual(await socketState(), ['masked', 'inactive'])
  await pacmanU(host, newer)
  t.deepEqual(await socketState(), ['masked', 'inactive'])
})

test('an administrator who disabled the socket after the install finds it disabled after an upgrade', async (t) => {
  await pacmanU(host, older)
  await host.sh('systemctl disable --now fastAPI-unix.socket')
  await pacmanU(host, newer)
  t.deepEqual(await socketState(), ['disabled', 'inactive'])
})

test('in a chroot nothing is started, one line says so, and the first boot brings the socket up', async (t) => {
  // The host's own files under an overlay as the chroot, with proc and the /run of the booted host, as arch-chroot
  // mounts them. What the install wrote there becomes the host's own, and the host boots with it.
  const chroot = `cd /tmp && mkdir upper work c && mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work c
    mount -t proc proc c/proc && mount --bind /run c/run`
  const output = await host.sh(`${chroot} && chroot c pacman -U --noconfirm ${older} 2>&1; umount -R c; cp -a upper/. /`)
  t.is(output.match(/^fastapi-health: .*$/gm)?.length, 1, output)
  t.regex(output, /^fastapi-health: systemd does not run here/m)
  t.is((await host.run('systemctl is-active fastAPI-unix.socket')).stdout, 'inactive\n')
  await host.reboot()
  t.deepEqual(await socketState(), ['enabled', 'active'])
  t.is(await curlHealth(host), '{"status":"ok"}')
})
