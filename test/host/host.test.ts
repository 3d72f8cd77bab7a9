import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import ava from 'ava'
import { hostCommand, runHostCommand } from './command.js'
import { bootHost } from './host.js'
import type { Host } from './host.js'
import { nodePackage } from './nodes.js'
import { hostUnavailable, test } from './test.js'

let host: Host

test.before(async (t) => {
  t.timeout(300_000)
  host = await bootHost()
})

test.after.always(async () => {
  await host?.stop()
})

ava('where hosts cannot be booted, there is a reason', (t) => {
  t.true(hostUnavailable() === undefined || hostUnavailable() !== '')
})

test('it boots completely, with no failed unit and with the loopback interface up', async (t) => {
  t.is(await host.sh('systemctl is-system-running'), 'running\n')
  t.is(await host.sh('systemctl --failed --legend=no'), '')
  t.regex(await host.sh('ip -brief address show lo'), /127\.0\.0\.1/)
})

test('a command gets its input and gives its output and its status, in an environment of its own', async (t) => {
  t.deepEqual(await host.run('cat; echo to stderr >&2; exit 7', { input: 'from outside' }), {
    code: 7,
    stdout: 'from outside',
    stderr: 'to stderr\n'
  })
  const names = (await host.sh('env')).split('\n').map((line) => line.replace(/=.*/, ''))
  t.deepEqual(
    names.filter((name) => !['HOME', 'LANG', 'LOGNAME', 'PATH', 'PWD', 'SHELL', 'SHLVL', 'TERM', 'USER', '_', ''].includes(name)),
    []
  )
})

test('a command that takes too long is ended, inside as well', async (t) => {
  await t.throwsAsync(host.run('exec sleep 1234', { timeoutMs: 500 }), { message: /was not done within 500 ms/ })
  t.is((await host.run('pgrep --full "sleep 1234" | grep --invert-match $$')).stdout, '')
})

test('a failing command is reported with its status and what it said', async (t) => {
  const error = await t.throwsAsync(host.sh('echo the cause >&2; false'))
  t.regex(error?.message ?? '', /status 1/)
  t.regex(error?.message ?? '', /the cause/)
})

test('alice is in no group of others, web is in http', async (t) => {
  t.is(await host.sh('id -un; id -Gn; echo $HOME', { user: 'alice' }), 'alice\nalice\n/home/alice\n')
  t.is(await host.sh('id -Gn', { user: 'web' }), 'web http\n')
  t.is((await host.run('true', { user: 'nobody-knows' })).code, 1)
})

test('nginx is off until it is started, and then serves its stock page as http', async (t) => {
  t.is((await host.run('systemctl is-enabled nginx.service')).stdout, 'disabled\n')
  await host.sh('systemctl start nginx.service')
  t.regex(await host.sh('curl --silent --show-error http://127.0.0.1/'), /Welcome to nginx/)
  t.regex(await host.sh('ps -C nginx -o user='), /^root\s+http\s*$/)
  t.is((await host.run('grep -rE "conf.d|sites-enabled" /etc/nginx/nginx.conf')).code, 1)
  await host.sh('systemctl stop nginx.service')
})

test('pacman knows what Debian provides, and finds it unaltered', async (t) => {
  const node = (await host.sh('node --version')).trim().slice(1)
  t.is(await host.sh('pacman -Q nodejs'), `nodejs ${node}-1\n`)
  t.regex(await host.sh('pacman -Qo /usr/bin/node /etc/nginx/nginx.conf'), /owned by nodejs .*\n.*owned by nginx /)
  t.is(await host.sh('pacman -Qkkq'), '')
  await host.sh("pacman -T 'nodejs>=20' 'systemd>=257' npm nginx sh")
})

test("Arch's hooks run on a package's files", async (t) => {
  await host.write('/root/tree/usr/lib/sysusers.d/probe.conf', 'u probe - "made by the hook"\n')
  await host.write('/root/tree/usr/lib/tmpfiles.d/probe.conf', 'd /run/probe 0750 probe probe\n')
  await host.write('/root/tree/usr/lib/systemd/system/probe.service', '[Service]\nExecStart=/usr/bin/sleep infinity\n')
  const path = (version: number) => `/root/probe-${version}-1-x86_64.pkg.tar.zst`
  for (const version of [1, 2]) {
    t.is(await host.sh(`provide-package probe ${version}-1 /root --root /root/tree -- usr`), `${path(version)}\n`)
  }

  const installed = await host.sh(`pacman -U --noconfirm ${path(1)} 2>&1`)
  t.regex(installed, /Creating system user accounts.*Creating temporary files.*Reloading system manager configuration/s)
  t.notRegex(installed, /error|warning/i)
  t.is(await host.sh('stat --format "%U %a" /run/probe'), 'probe 750\n')
  t.is(await host.sh('systemctl show --property LoadState --value probe.service'), 'loaded\n')

  await host.sh('systemctl start probe.service && systemctl set-property --runtime probe.service Markers=+needs-restart')
  const before = await host.sh('systemctl show --property MainPID --value probe.service')
  t.regex(await host.sh(`pacman -U --noconfirm ${path(2)} 2>&1`), /Enqueuing marked services/)
  const restarted = `pid=$(systemctl show -P MainPID probe.service); [[ $pid != 0 && $pid != ${before.trim()} ]]`
  await host.sh(`for _ in {1..100}; do { ${restarted}; } && exit; sleep 0.1; done; exit 1`)

  await host.sh('systemctl stop probe.service && pacman -R --noconfirm probe 2>&1')
  t.is(await host.sh('systemctl show --property LoadState --value probe.service'), 'not-found\n')
})

test('nodejs can be upgraded and downgraded as a package', async (t) => {
  t.timeout(120_000)
  const stock = await host.sh('node --version')
  const path = await nodePackage(host, 22)
  await host.sh(`pacman -U --noconfirm ${path}`)
  t.regex(await host.sh('node --version'), /^v22\./)
  t.not(await host.sh('node --version'), stock)
  t.regex(await host.sh('pacman -Q nodejs'), /^nodejs 22\./)
  t.is(await host.sh('pacman -Qkkq nodejs'), '')
})

test('it keeps its files over a reboot and over a power cut', async (t) => {
  const bootId = () => host.sh('journalctl --list-boots --quiet | wc -l')
  await host.write('/root/kept', 'once\n')
  t.is((await bootId()).trim(), '1')
  const { initPid } = host

  await host.reboot()
  t.is(await host.sh('cat /root/kept'), 'once\n')
  t.not(host.initPid, initPid)
  t.is((await bootId()).trim(), '2')

  await host.kill()
  t.regex((await host.run('true')).stderr, /not running.*boot/)
  await host.boot()
  t.is(await host.sh('cat /root/kept; systemctl is-system-running'), 'once\nrunning\n')
})

test('a host whose owner is gone is taken away at the next boot, others stay', async (t) => {
  const owner = spawn('sleep', ['600'])
  const name = `orphan-${process.pid}`
  const [, init = '', root = ''] = (await hostCommand(['boot', name, '--owner', String(owner.pid)])).trim().split('\t')
  const exited = once(owner, 'exit')
  owner.kill('SIGKILL')
  await exited

  const other = await bootHost()
  t.false(existsSync(root))
  t.false(existsSync(`/proc/${init}`))
  t.notRegex(await hostCommand(['list']), new RegExp(name))
  t.is(await host.sh('systemctl is-system-running'), 'running\n')
  t.is(await other.sh('hostname'), `${other.name}\n`)
  await other.stop()
  t.false(existsSync(other.root))
})

test('what is wrong with a command is said with what to do', async (t) => {
  const message = async (...parameters: string[]) => {
    const { code, stderr } = await runHostCommand(parameters)
    return `${code} ${stderr}`
  }
  t.regex(await message('boot', 'No Name'), /^64 .*no name of a host; expected/)
  t.regex(await message('boot', host.name), /^1 .*running already.*stop/)
  t.regex(await message('run', 'nobody', '--', 'true'), /^1 .*no host 'nobody'.*list/)
  t.regex(await message('run', host.name, '--'), /^64 .*no command/)
  t.regex(await message('stop'), /^64 /)
  t.regex(await message('fly'), /^64 .*unknown command 'fly'\nusage/s)
})
