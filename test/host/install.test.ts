import { curlHealth, pacmanU, pushPackage } from './pacman.js'
import { bootHost, type Host } from './host.js'
import { test } from './test.js'

let host: Host
let installed = ''

test.before(async (t) => {
  t.timeout(600_000)
  host = await bootHost()
  installed = await pacmanU(host, await pushPackage(host))
})

test.after.always(async () => {
  await host?.stop()
})

test('installing says in one line that the release serves, then nothing runs until somebody asks', async (t) => {
  t.is(installed.match(/^fastapi-health: .*$/gm)?.length, 1, installed)
  t.regex(installed, /^fastapi-health: 1\.\d+\.\d+-\d+ .*$/m)
  t.is(await host.sh('systemctl is-active fastAPI-unix.socket'), 'active\n')
  t.is(await host.sh('systemctl is-enabled fastAPI-unix.socket'), 'enabled\n')
  t.is((await host.run('systemctl is-active fastAPI-unix.service')).stdout, 'inactive\n')
  t.is((await host.run('pgrep -u fastapi')).stdout, '')
})

test('root is answered, which starts the service as fastapi', async (t) => {
  t.is(await curlHealth(host), '{"status":"ok"}')
  t.is(await host.sh('systemctl is-active fastAPI-unix.service'), 'active\n')
  t.is(await host.sh('ps -o user= -p $(systemctl show -P MainPID fastAPI-unix.service)'), 'fastapi\n')
})

test('a member of http is answered, another user is refused by permissions', async (t) => {
  t.is(await curlHealth(host, 'web'), '{"status":"ok"}')
  t.is(await host.sh("stat -c '%a %U %G' /run/fastAPI/fastAPI.sock"), '660 fastapi http\n')
  t.regex(await curlHealth(host, 'alice'), /[Cc]ould ?n[o']t connect|Permission denied/)
})

test('the settings are root\'s and the service\'s alone', async (t) => {
  t.is((await host.run('cat /etc/fastAPI/fastAPI.env', { user: 'alice' })).code, 1)
  t.is((await host.run('cat /etc/fastAPI/fastAPI.env', { user: 'fastapi' })).code, 0)
  t.is((await host.run('echo >> /etc/fastAPI/fastAPI.env', { user: 'fastapi' })).code, 1)
})

test('systemctl enable --now is always a safe command: it changes nothing', async (t) => {
  const state = 'systemctl show -P ActiveEnterTimestampMonotonic,MainPID fastAPI-unix.socket fastAPI-unix.service'
  const before = await host.sh(state)
  await host.sh('systemctl enable --now fastAPI-unix.socket')
  t.is(await host.sh(state), before)
})

test('systemd knows readiness and the release from the service itself', async (t) => {
  t.regex(await host.sh('systemctl show -P StatusText fastAPI-unix.service'), /serves/)
})

test('pacman finds every installed file as it was packaged', async (t) => {
  t.regex(await host.sh('LC_ALL=C pacman -Qkk fastapi-health 2>&1'), /, 0 altered files\n$/)
})

test('the journal is quiet about probes, and tells a bad setting by its priority', async (t) => {
  // By field, not by -u: that also shows what systemd says of the unit, such as a controller that this kernel lacks.
  t.is(await host.sh('journalctl -q -p warning _SYSTEMD_UNIT=fastAPI-unix.service'), '')
  t.notRegex(await host.sh('journalctl -q -u fastAPI-unix.service'), /GET/)
  await host.sh("echo 'IDLE_TIMEOUT=soon' >> /etc/fastAPI/fastAPI.env && systemctl stop --no-warn fastAPI-unix.service")
  const client = host.run('curl -sS -m 30 --unix-socket /run/fastAPI/fastAPI.sock http://localhost/health')
  await host.sh('for i in $(seq 100); do journalctl -q -u fastAPI-unix.service -p err | grep -q soon && exit; sleep 0.1; done; exit 1')
  t.regex(await host.sh('journalctl -q -o cat -u fastAPI-unix.service -p err'), /IDLE_TIMEOUT="soon": expected seconds/)
  t.regex(await host.sh('journalctl -q -u fastAPI-unix.service'), /status=78\/CONFIG/)
  await host.sh("sed -i '/soon/d' /etc/fastAPI/fastAPI.env")
  t.is((await client).stdout, '{"status":"ok"}', 'who connected while the setting was bad is answered once it is mended')
})

test('nginx as http answers with the one include line in the stock nginx.conf', async (t) => {
  await host.sh("sed -i '$ s|^}|    include /etc/nginx/fastAPI/*.conf;\\n}|' /etc/nginx/nginx.conf && nginx -t && systemctl start nginx")
  t.is(await host.sh("ps -o user= -C nginx | sort -u | grep -v root"), 'http\n')
  t.is(await host.sh("curl -sS -f -H 'Host: fastapi.localhost' http://127.0.0.1/health"), '{"status":"ok"}')
  t.regex(await host.sh('curl -sS -f http://127.0.0.1/'), /nginx/, 'the stock site stays the default')
})

test('after a boot the socket is there and the first request is answered', async (t) => {
  await host.reboot()
  t.is(await host.sh('systemctl is-active fastAPI-unix.socket'), 'active\n')
  t.is((await host.run('systemctl is-active fastAPI-unix.service')).stdout, 'inactive\n')
  t.is(await curlHealth(host), '{"status":"ok"}')
})
