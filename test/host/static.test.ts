import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { checkoutFiles } from './checkout.js'
import { checkout } from './command.js'
import { pacmanU, pushPackage } from './pacman.js'
import { bootHost, type Host } from './host.js'
import { test } from './test.js'

let host: Host

test.before(async (t) => {
  t.timeout(600_000)
  host = await bootHost()
  await pacmanU(host, await pushPackage(host))
})

test.after.always(async () => {
  await host?.stop()
})

test('systemd-analyze verify has nothing to say about the units', async (t) => {
  const { code, stderr, stdout } = await host.run('systemd-analyze verify /usr/lib/systemd/system/{fastAPI-*.{socket,service},fastapi-*.service} 2>&1')
  t.is(stdout + stderr, '')
  t.is(code, 0)
})

test('shellcheck has nothing to say about any shell file', async (t) => {
  const shell: string[] = []
  for (const path of await checkoutFiles()) {
    const content = await readFile(join(checkout, path), 'utf8').catch(() => '')
    if (/^#!.*\b(ba)?sh\b/.test(content) || /\.(install|alpm|sh)$/.test(path) || path === 'PKGBUILD') shell.push(path)
  }
  for (const expected of ['PKGBUILD', 'fastapi-health.install', 'dist-units/fastapi-health.alpm', 'test/host/host']) {
    t.true(shell.includes(expected), expected)
  }
  for (const path of shell) await host.push(join(checkout, path), `/tmp/checkout/${path}`)
  const check = async (options: string, paths: string[]) =>
    (await host.run(`cd /tmp/checkout && shellcheck -x ${options} ${paths.join(' ')} 2>&1`)).stdout
  // makepkg sets what a PKGBUILD reads, reads what it sets, and stops at a cd that fails.
  t.is(await check('-s bash -e SC2034,SC2154,SC2164,SC2103', ['PKGBUILD']), '')
  // Scriptlets and hook scripts run in whatever sh is: POSIX.
  t.is(await check('-s sh -e SC2148', ['fastapi-health.install', 'dist-units/fastapi-health.alpm']), '')
  const others = shell.filter((path) => path !== 'PKGBUILD' && !/\.(install|alpm)$/.test(path))
  t.is(await check('', others), '')
})

test('pacman itself loads every hook', async (t) => {
  const hooks = (await readdir(join(checkout, 'dist-units'))).filter((name) => name.endsWith('.hook'))
  t.true(hooks.length > 0)
  // A malformed hook stops every transaction; --debug says of each file that it is read.
  const output = await host.sh('pacman -U --noconfirm --debug /root/fastapi-health-*.pkg.tar.zst 2>&1')
  for (const hook of hooks) t.regex(output, new RegExp(`parsing hook file .*${hook.replace('.', '\\.')}`))
  t.notRegex(output, /hook .*(line \d+:|invalid|overwriting)/i)
})
