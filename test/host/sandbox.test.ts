import { join } from 'node:path'
import { checkout } from './command.js'
import { bootHost, type Host } from './host.js'
import { curlHealth, pacmanU, pushPackage } from './pacman.js'
import { test } from './test.js'

let host: Host

/** The highest exposure that the service may have, as `systemd-analyze security` scores it. */
const highestExposure = 0.4

/** And that what makes a deleted socket file anew may have: it speaks to systemd as root. */
const highestOfRepair = 1.5

/** How the kernel or the mount table refuses. */
const refusals = [
  'Operation not permitted',
  'Permission denied',
  'Read-only file system',
  'No such file or directory',
  'Address family not supported by protocol'
]

test.before(async (t) => {
  t.timeout(600_000)
  host = await bootHost()
  await pacmanU(host, await pushPackage(host))
})

test.after.always(async () => {
  await host?.stop()
})

for (const [unit, highest] of [
  ['fastAPI-unix.service', highestExposure],
  ['fastAPI-unix-repair.service', highestOfRepair]
] as const) {
  test(`systemd-analyze security scores ${unit} at ${highest} or less`, async (t) => {
    const line = await host.sh(`systemd-analyze security --no-pager ${unit} | tail -n 1`)
    t.log(line.trim())
    t.true(Number(/exposure level for \S+: ([\d.]+)/i.exec(line)?.[1]) <= highest, line)
  })
}

/** Outcomes by attempt, of lines "what<TAB>outcome". */
function outcomes(lines: string): Map<string, string> {
  return new Map(lines.split('\n').filter((line) => line.includes('\t')).map((line) => line.split('\t') as [string, string]))
}

test('whatever a taken-over service tries is refused, by the very properties of the unit', async (t) => {
  t.timeout(120_000)
  // Below /usr/lib, from where the unit lets programs be executed: none of its properties has to be changed for it.
  await host.push(join(checkout, 'test/host/probe.pl'), '/usr/lib/probe/probe.pl')
  await host.sh(`cp /usr/bin/perl /usr/lib/probe/perl
    echo x > /root/secret; echo x > /var/log/secret; chmod 600 /var/log/secret
    mkdir -p /root/writable /var/lib/of-another; echo x > /var/lib/of-another/secret; chmod 700 /var/lib/of-another`)
  await host.write(
    '/run/systemd/system/fastAPI-unix.service.d/probe.conf',
    `[Service]
Type=oneshot
Restart=no
ExecStart=
ExecStart=/usr/lib/probe/perl /usr/lib/probe/probe.pl
Environment=PROBE_WRITABLE=%C/fastAPI
`
  )
  await host.sh('systemctl daemon-reload && systemctl restart fastAPI-unix.service')
  const id = (await host.sh('systemctl show -P InvocationID fastAPI-unix.service')).trim()
  const inside = outcomes(await host.sh(`journalctl --sync; journalctl -o cat --no-pager _SYSTEMD_INVOCATION_ID=${id}`))
  // The same as root without the unit: what works there shows that the probe can tell.
  const outside = outcomes(await host.sh('PROBE_WRITABLE=/root/writable perl /usr/lib/probe/probe.pl 2>&1'))

  t.true(inside.size >= 70, [...inside].join('\n'))
  t.deepEqual([...inside.keys()], [...outside.keys()])
  const wide = Math.max(...[...inside.keys()].map((what) => what.length))
  t.log([...inside].map(([what, outcome]) => `${what.padEnd(wide)}  ${outcome.padEnd(40)}  as root: ${outside.get(what)}`).join('\n'))
  for (const [what, outcome] of inside) t.true(refusals.includes(outcome), `${what}: ${outcome}`)
  t.true([...outside.values()].filter((outcome) => outcome === 'done').length >= 45)

  await host.sh('rm -r /run/systemd/system/fastAPI-unix.service.d && systemctl daemon-reload')
  t.is(await curlHealth(host), '{"status":"ok"}')
})

test('nothing of the host exists for it but node, libraries, shared data and its cache', async (t) => {
  t.is(await curlHealth(host), '{"status":"ok"}')
  const mounts = await host.sh("awk '{ print $5 }' /proc/$(systemctl show -P MainPID fastAPI-unix.service)/mountinfo")
  // systemd 257 has a mount of its own there, empty and read-only.
  const seen = mounts.trim().split('\n').filter((path) => path !== '/run/systemd/incoming')
  t.deepEqual(seen.sort(), ['/', '/lib64', '/proc', '/run', '/usr/bin/node', '/usr/lib', '/usr/share', '/var/cache/fastAPI'])
  // A start makes what is missing for a mount: nothing is.
  const root = '/usr/lib/fastapi-health/root'
  t.is(await host.sh(`find ${root} | sort`), await host.sh(`pacman -Qlq fastapi-health | grep ^${root} | sed 's,/$,,' | sort`))
})

test('only http and fastapi may connect', async (t) => {
  t.is(await host.sh('stat -c "%U %G %a" /run/fastAPI/fastAPI.sock'), 'fastapi http 660\n')
  t.is(await curlHealth(host, 'web'), '{"status":"ok"}')
  t.is(await curlHealth(host, 'fastapi'), '{"status":"ok"}')
  t.regex(await curlHealth(host, 'alice'), /^curl: \(7\)/)
})

test("one drop-in gives the socket to another group, and takes it from nginx's", async (t) => {
  await host.write('/etc/systemd/system/fastAPI-unix.socket.d/group.conf', '[Socket]\nSocketGroup=alice\n')
  await host.sh('systemctl daemon-reload && systemctl restart fastAPI-unix.socket')
  t.is(await curlHealth(host, 'alice'), '{"status":"ok"}')
  t.regex(await curlHealth(host, 'web'), /^curl: \(7\)/)
  await host.sh('rm -r /etc/systemd/system/fastAPI-unix.socket.d && systemctl daemon-reload && systemctl restart fastAPI-unix.socket')
  t.is(await curlHealth(host, 'web'), '{"status":"ok"}')
})

test('only root and fastapi may read the settings, and nobody but root may write what is installed', async (t) => {
  const read = async (user: string) => (await host.run('cat /etc/fastAPI/fastAPI.env', { user })).code
  t.deepEqual([await read('root'), await read('fastapi'), await read('web'), await read('alice')], [0, 0, 1, 1])
  const files = (await host.sh('pacman -Qlq fastapi-health | grep -v /$')).trim().split('\n')
  t.true(files.length > 10)
  for (const user of ['fastapi', 'web', 'alice']) {
    t.is(await host.sh(`for file in ${files.join(' ')}; do [[ ! -w $file || -L $file ]] || echo $file; done`, { user }), '')
  }
})
