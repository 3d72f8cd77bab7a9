import type { ExecutionContext } from 'ava'
import { curlHealth, pacmanU, pushPackage, servingRelease } from './pacman.js'
import { bootHost, type Host } from './host.js'
import { test } from './test.js'

let host: Host
let older = ''
let newer = ''

test.before(async (t) => {
  t.timeout(600_000)
  host = await bootHost()
  older = await pushPackage(host, { version: '1.0.0' })
  newer = await pushPackage(host, { version: '1.1.0' })
  await pacmanU(host, older)
})

test.after.always(async () => {
  await host?.stop()
})

async function isSound(t: ExecutionContext, release: string): Promise<void> {
  t.is(await servingRelease(host), release)
  t.is(await host.sh('pacman -Q fastapi-health'), `fastapi-health ${release}\n`)
  t.regex(await host.sh('LC_ALL=C pacman -Qkk fastapi-health 2>&1'), /, 0 altered files\n$/)
  t.regex(await host.sh('cat /etc/fastAPI/fastAPI.env'), /^IDLE_TIMEOUT=77$/m)
}

test('an upgrade is served at once, with the edited settings kept', async (t) => {
  await host.sh('echo IDLE_TIMEOUT=77 >> /etc/fastAPI/fastAPI.env')
  await curlHealth(host)
  await pacmanU(host, newer)
  await isSound(t, '1.1.0-1')
})

test('so is a downgrade', async (t) => {
  await pacmanU(host, older)
  await isSound(t, '1.0.0-1')
})

test('so is a reinstall', async (t) => {
  await pacmanU(host, older)
  await isSound(t, '1.0.0-1')
})

test('a service that nobody used stays off through an upgrade', async (t) => {
  await host.sh('systemctl stop --no-warn fastAPI-unix.service')
  await pacmanU(host, newer)
  t.is((await host.run('systemctl is-active fastAPI-unix.service')).stdout, 'inactive\n')
  await isSound(t, '1.1.0-1')
})

test('removal leaves the settings as .pacsave, and no unit, process, hook or preset', async (t) => {
  await curlHealth(host)
  const files = await host.sh('pacman -Qlq fastapi-health')
  await host.sh('pacman -R --noconfirm fastapi-health')
  for (const path of files.split('\n').filter((path) => path !== '' && !path.endsWith('/'))) {
    t.is((await host.run(`test -e '${path}' || test -L '${path}'`)).code, 1, path)
  }
  t.regex(await host.sh('cat /etc/fastAPI/fastAPI.env.pacsave'), /^IDLE_TIMEOUT=77$/m)
  t.is(await host.sh("systemctl list-units --all --legend=no 'fastAPI*'; systemctl list-unit-files --legend=no 'fastAPI*'; true"), '')
  t.is((await host.run('pgrep -u fastapi')).stdout, '')
  t.is(await host.sh("find /etc/systemd /usr/share/libalpm /usr/lib/systemd -iname '*fastapi*'"), '')
  t.is(await host.sh('systemctl --failed --legend=no'), '')
})

test('installing again serves again, and does not take the saved settings back by itself', async (t) => {
  await pacmanU(host, older)
  t.is(await servingRelease(host), '1.0.0-1')
  t.regex(await host.sh('LC_ALL=C pacman -Qkk fastapi-health 2>&1'), /, 0 altered files\n$/)
  t.notRegex(await host.sh('cat /etc/fastAPI/fastAPI.env'), /^IDLE_TIMEOUT=77$/m)
})
