import { readFileSync } from 'node:fs'
import type { ExecutionContext } from 'ava'
import { bootHost, type Host } from './host.js'
import { buildPackage } from './packages.js'
import { test } from './test.js'

const conf = '/etc/nginx/nginx.conf'
const site = '/etc/nginx/fastAPI/fastAPI.conf'
const stock = readFileSync('test/host/rootfs/etc/nginx/nginx.conf', 'utf8')

let host: Host

test.before(async (t) => {
  t.timeout(600_000)
  const path = await buildPackage()
  host = await bootHost()
  await host.push(path, '/root/fastapi-health.pkg.tar.zst')
  await host.sh('pacman -U --noconfirm /root/fastapi-health.pkg.tar.zst')
})

test.beforeEach(async () => {
  await host.sh(`systemctl stop nginx; systemctl reset-failed nginx; fastapi-health nginx disable; rm -rf /etc/nginx/{conf,http}.d /etc/nginx/sites-*`)
  await host.write(conf, stock)
})

test.after.always(async () => {
  await host?.stop()
})

/** Runs `fastapi-health nginx ...`; output is both streams. */
async function nginx(parameters: string, user = 'root') {
  const { code, stdout } = await host.run(`fastapi-health nginx ${parameters} 2>&1`, { user })
  return { code, output: stdout }
}

/** What there is in /etc/nginx: content, mode, owner and kind of each file. */
async function state(): Promise<string> {
  return host.sh(`cd /etc/nginx && find . -printf '%p %M %U:%G %l\\n' | sort && find . -type f -print0 | sort -z | xargs -0 sha256sum`)
}

const curl = (parameters: string) => host.sh(`curl -sS --max-time 20 ${parameters}`)
const masterPid = () => host.sh('systemctl show -P MainPID nginx')

test('on the stock configuration: off, on, on again, and off byte for byte', async (t) => {
  await host.sh('systemctl start nginx')
  const before = await state()
  const pid = await masterPid()
  t.deepEqual(await nginx('status'), { code: 1, output: 'nginx: running\nsite: off; to switch it on: fastapi-health nginx enable\n' })

  const { code, output } = await nginx('enable')
  t.is(code, 0, output)
  t.is(output, `Changed ${conf}.\nnginx was tested and reloaded.\nhttp://fastapi.localhost/health answers: 200 {"status":"ok"}\n`)
  t.is(await curl('http://fastapi.localhost/health'), '{"status":"ok"}')
  t.regex(await curl('http://localhost/'), /Welcome to nginx/)
  t.regex((await nginx('status')).output, /^nginx: running\nsite: on, by \/etc\/nginx\/nginx\.conf:\d+\nlistens on: 80\n/)
  t.is((await nginx('status')).code, 0)

  const on = await state()
  t.deepEqual(await nginx('enable'), { code: 0, output: 'The site is on already; nothing to change.\n' })
  t.is(await state(), on)

  t.is((await nginx('disable')).code, 0)
  t.is(await state(), before)
  t.regex(await curl('http://fastapi.localhost/'), /Welcome to nginx/)
  t.deepEqual(await nginx('disable'), { code: 0, output: 'The site is off already; nothing to change.\n' })
  t.is(await state(), before)
  t.is(await masterPid(), pid, 'nginx was never restarted')
})

test('--server-name and --listen are set, set again, and undone', async (t) => {
  await host.sh('systemctl start nginx')
  const before = await state()
  await nginx("enable --server-name health.example --server-name 127.0.0.1 --listen 8080 --listen '[::]:8080'")
  t.is(await curl('http://127.0.0.1:8080/health'), '{"status":"ok"}')
  t.is(await curl("-g 'http://[::1]:8080/health' -H 'Host: health.example'"), '{"status":"ok"}')
  t.regex((await nginx('enable --listen 127.0.0.1:8081')).output, /http:\/\/health\.example:8081\/health answers: 200/)
  t.is((await host.run('curl -s http://127.0.0.1:8080/health')).code, 7)
  t.is(await curl('http://127.0.0.1:8081/health'), '{"status":"ok"}')
  await nginx('disable')
  t.is(await state(), before)
})

test('--dry-run shows the difference, and changes nothing', async (t) => {
  const before = await state()
  const { code, output } = await nginx('enable --dry-run --server-name health.example')
  t.is(code, 0)
  t.regex(output, /^\+ {4}include \/etc\/nginx\/fastAPI\/\*\.conf; #/m)
  t.regex(output, /^\+ {4}server_name health\.example; #/m)
  t.is(await state(), before)
  await nginx('enable')
  const on = await state()
  t.regex((await nginx('disable --dry-run')).output, /^- {4}include \/etc\/nginx\/fastAPI\/\*\.conf; #/m)
  t.is(await state(), on)
})

for (const folder of ['conf.d/*.conf', 'http.d/*.conf', 'sites-enabled/*']) {
  test(`on a configuration that includes ${folder}, with other sites that stay as they are`, async (t) => {
    const directory = `/etc/nginx/${folder.replace(/\/.*/, '')}`
    await host.write(conf, stock.replace('    server {', `    include ${folder};\n    server {`))
    await host.write(`${directory}/other.conf`, 'server { listen 80; server_name other.localhost; return 200 "other\\n"; }\n')
    await host.write(`${directory}/default.conf`, 'server { listen 80 default_server; server_name _; return 200 "default\\n"; }\n')
    await host.sh('systemctl start nginx')
    const before = await state()
    t.is((await nginx('enable')).code, 0)
    t.is(await curl('http://fastapi.localhost/health'), '{"status":"ok"}')
    t.is(await curl('http://other.localhost/health'), 'other\n')
    t.is(await curl('http://127.0.0.1/health'), 'default\n')
    await nginx('disable')
    t.is(await state(), before)
  })
}

test('on a broken configuration nothing changes, and what nginx says is shown', async (t) => {
  await host.sh('systemctl start nginx')
  await host.write(conf, stock.replace('sendfile        on;', 'sendfle on;'))
  const before = await state()
  for (const action of ['enable', 'enable --dry-run', 'enable --server-name health.example']) {
    const { code, output } = await nginx(action)
    t.is(code, 1)
    t.regex(output, /nothing was changed:\n.*unknown directive "sendfle" in \/etc\/nginx\/nginx\.conf:/)
    t.is(await state(), before)
  }
  t.regex((await nginx('status')).output, /^nginx: running\nconfiguration: broken, says nginx:\n.*sendfle/)
  t.regex(await curl('http://127.0.0.1/'), /Welcome to nginx/)
})

test('where no mount namespace can be had, as in some containers, a broken configuration is undone', async (t) => {
  const confined = async (parameters: string) => host.run(`setpriv --bounding-set=-sys_admin fastapi-health nginx ${parameters} 2>&1`)
  t.not((await host.run('setpriv --bounding-set=-sys_admin unshare --mount true')).code, 0)
  await host.sh('systemctl start nginx')
  const before = await state()
  t.is((await confined('enable')).code, 0)
  t.is(await curl('http://fastapi.localhost/health'), '{"status":"ok"}')
  t.is((await confined('disable')).code, 0)
  t.is(await state(), before)
  await host.write(conf, stock.replace('sendfile        on;', 'sendfle on;'))
  const broken = await state()
  const { code, stdout } = await confined('enable')
  t.is(code, 1)
  t.regex(stdout, /nothing was changed:\n.*unknown directive "sendfle"/)
  t.is(await state(), broken)
})

test('a configuration without http {} is left as it is, and the line to add is told', async (t) => {
  await host.write(conf, 'events {}\n')
  const before = await state()
  const { code, output } = await nginx('enable')
  t.is(code, 1)
  t.regex(output, /expected http \{ \.\.\. \}.*include \/etc\/nginx\/fastAPI\/\*\.conf;/s)
  t.is(await state(), before)
})

test('a host that other sites answer for by IPv4 alone is left to them by IPv6, too', async (t) => {
  await host.sh('systemctl start nginx')
  await nginx('enable')
  t.is((await host.run("curl -sg 'http://[::1]/'")).code, 7)
})

test('what nginx accepts but cannot carry out is undone: a port that another program holds', async (t) => {
  await host.sh('systemctl start nginx')
  await host.sh('systemd-run --quiet --unit holder node -e "require(\'net\').createServer().listen(8080)"')
  await host.sh('until ss -Hltn sport = :8080 | grep -q .; do sleep 0.05; done')
  const before = await state()
  const { code, output } = await nginx('enable --listen 8080')
  await host.sh('systemctl stop holder')
  t.is(code, 1)
  t.regex(output, /nothing was changed:\nnginx goes on with its old configuration; its journal says:\n[^]*bind\(\) to .*:8080 failed/)
  t.is(await state(), before)
  t.regex(await curl('http://127.0.0.1/'), /Welcome to nginx/)
})

test('a line that a person wrote is respected, by enable and by disable', async (t) => {
  await host.write(conf, stock.replace(/\}\s*$/, '    include fastAPI/*.conf;\n}\n'))
  await host.sh('systemctl start nginx')
  const before = await state()
  t.is((await nginx('enable')).output, 'The site is on already; nothing to change.\n')
  t.regex((await nginx('status')).output, /site: on, by a line that a person wrote/)
  t.is((await nginx('enable --listen 8080')).code, 0)
  t.is(await curl('http://127.0.0.1:8080/health'), '{"status":"ok"}')
  const { code, output } = await nginx('disable')
  t.is(code, 1)
  t.regex(output, /still on, by a line that this command did not write/)
  t.is(await state(), before)
})

test('mode, owner, links and bytes that are no text survive', async (t) => {
  await host.write('/etc/nginx/real.conf', Buffer.concat([Buffer.from(stock), Buffer.from([0x23, 0xe4, 0xff, 0x0a])]), { mode: '640', owner: 'root:http' })
  await host.sh(`ln -sf real.conf ${conf}`)
  const before = await state()
  t.is((await nginx('enable')).code, 0)
  t.is(await host.sh(`stat -c '%A %U:%G' /etc/nginx/real.conf; readlink ${conf}`), '-rw-r----- root:http\nreal.conf\n')
  t.is((await nginx('disable')).code, 0)
  t.is(await state(), before)
  await host.sh(`rm ${conf} /etc/nginx/real.conf`)
})

test('where nginx does not run it is not started, and the command that starts it is told', async (t) => {
  const { code, output } = await nginx('enable')
  t.is(code, 0)
  t.regex(output, /it does not run\. To start it: systemctl enable --now nginx\.service/)
  t.is((await host.run('systemctl is-active nginx')).stdout, 'inactive\n')
  t.is((await nginx('status')).code, 1)
  await host.sh('systemctl enable --now --quiet nginx.service')
  t.is(await curl('http://fastapi.localhost/health'), '{"status":"ok"}')
  await host.sh('systemctl disable --quiet nginx.service')
})

test('users other than root, wrong arguments and a missing nginx are told so', async (t) => {
  for (const action of ['enable', 'disable', 'status']) {
    const { code, output } = await nginx(action, 'alice')
    t.is(code, 77)
    t.regex(output, new RegExp(`needs root; run: sudo fastapi-health nginx ${action}`))
  }
  const wrong = ['', 'on', 'enable now', 'enable --listen 0', "enable --server-name 'a;b'", 'disable --listen 80', 'status --dry-run', 'enable --force']
  for (const parameters of wrong) t.is((await nginx(parameters)).code, 64, parameters)
  await host.sh('mv /usr/sbin/nginx /usr/sbin/nginx-away')
  const { code, output } = await nginx('enable')
  await host.sh('mv /usr/sbin/nginx-away /usr/sbin/nginx')
  t.is(code, 1)
  t.regex(output, /nginx is not installed; to install it: pacman -S nginx/)
})

test('only what is needed passes: path, and headers that nginx sets itself', async (t) => {
  await host.sh('systemctl start nginx && fastapi-health nginx enable && systemctl stop fastAPI-unix.socket fastAPI-unix.service')
  const echo = "require('net').createServer(s=>s.once('data',d=>s.end('HTTP/1.1 200 OK\\r\\nX-Powered-By: x\\r\\n\\r\\n'+d))).listen('/run/fastAPI/fastAPI.sock',()=>require('fs').chmodSync('/run/fastAPI/fastAPI.sock',0o666))"
  await host.sh(`systemd-run --quiet --unit echo node -e "${echo}"; until [ -S /run/fastAPI/fastAPI.sock ]; do sleep 0.05; done`)
  t.teardown(() => host.sh('systemctl stop echo; rm -f /run/fastAPI/fastAPI.sock; systemctl start fastAPI-unix.socket'))

  const forged = "-H 'X-Forwarded-For: 192.0.2.1' -H 'X-Forwarded-Proto: https' -H 'X-Real-IP: 192.0.2.1' -H 'Forwarded: for=192.0.2.1' -H 'Cookie: a=b' -H 'Authorization: Basic eA=='"
  const passed = await curl(`http://fastapi.localhost/health?a=b ${forged} -H 'Accept: application/health+json' -X POST -d body`)
  t.deepEqual(passed.trim().split('\r\n').sort(), [
    'Accept: application/health+json',
    'Connection: close',
    'Host: fastapi.localhost',
    'POST /health?a=b HTTP/1.1',
    'X-Forwarded-For: 127.0.0.1',
    'X-Forwarded-Proto: http'
  ])
  for (const path of ['/', '/healthz', '/openapi.json', '/health/../etc', '/HEALTH']) {
    t.is(await curl(`--path-as-is http://fastapi.localhost${path} -w ' %{http_code} %{content_type}'`), '{"detail":"Not Found"} 404 application/json', path)
  }
  t.is(await curl("'http://fastapi.localhost/health/?a=b' -o /dev/null -w '%{http_code} %header{location}'"), '307 /health?a=b')
  t.notRegex(await curl('-I http://fastapi.localhost/health'), /nginx\/\d/)
  t.is(await curl("http://fastapi.localhost/health --data-binary @/usr/bin/bash -o /dev/null -w '%{http_code}'"), '413')
})

test('the commented lines are all that TLS needs', async (t) => {
  await certificate(t)
  await host.sh(`cp ${site} /root/site && sed -i -E 's/^( +)#(listen|ssl_)/\\1\\2/' ${site} && systemctl start nginx && fastapi-health nginx enable`)
  t.teardown(() => host.sh(`cp /root/site ${site}`))
  t.is(await curl('--cacert /etc/nginx/fastAPI/certificate.pem https://fastapi.localhost/health'), '{"status":"ok"}')
  t.is(await curl('http://fastapi.localhost/health'), '{"status":"ok"}')
})

test('/health goes into a server {} of your own by one line', async (t) => {
  const own = 'server { listen 8080; location / { return 200 "mine\\n"; } include /etc/nginx/fastAPI/fastAPI.location; }'
  await host.write(conf, stock.replace(/\}\s*$/, `${own}\n}\n`))
  await host.sh('systemctl start nginx')
  t.is(await curl('http://127.0.0.1:8080/health'), '{"status":"ok"}')
  t.is(await curl('http://127.0.0.1:8080/healthy'), 'mine\n')
  t.regex((await nginx('status')).output, /site: off/)
})

/** A key and a certificate for fastapi.localhost, where the commented lines of the site expect them. */
async function certificate(t: ExecutionContext): Promise<void> {
  const subject = '-subj /CN=fastapi.localhost -addext subjectAltName=DNS:fastapi.localhost'
  const files = '-keyout /etc/nginx/fastAPI/key.pem -out /etc/nginx/fastAPI/certificate.pem'
  await host.sh(`openssl req -x509 -newkey ed25519 -nodes -days 2 ${subject} ${files}`)
  t.teardown(() => host.sh('rm -f /etc/nginx/fastAPI/{key,certificate}.pem'))
}
