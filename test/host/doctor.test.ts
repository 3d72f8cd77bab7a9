import { badReleases } from './bad-releases.js'
import { doctor, nameAndMend } from './doctor.js'
import { bootHost, type Host } from './host.js'
import { nodeBinary } from './nodes.js'
import { pacmanU, pushPackage } from './pacman.js'
import { test } from './test.js'

let host: Host

/** A service that does not start, and somebody who waits for it; ends when systemd has tried a few times. */
const failingStart = `
  printf 'WORKERS=0\\nLOG_LEVEL=loud\\n' >>/etc/fastAPI/fastAPI.env
  systemctl stop fastAPI-unix.service
  (curl --silent --max-time 20 --unix-socket /run/fastAPI/fastAPI.sock http://localhost/health >/dev/null 2>&1 &)`
const untilFailed = 'timeout 20 bash -c "until systemctl --quiet is-failed fastAPI-unix.socket; do sleep 0.1; done"'
const badSettings = /^fail settings: \/etc\/fastAPI\/fastAPI\.env: LOG_LEVEL="loud": expected one of .*; WORKERS="0": expected a whole number/

/** What makes a deleted file anew, before a person could see that it is missing. */
const unwatch = 'systemctl stop fastAPI-unix-watch.path'
const notWatched = /^warn watch: fastAPI-unix-watch\.path is inactive/

test.before(async (t) => {
  t.timeout(600_000)
  host = await bootHost()
  await pacmanU(host, await pushPackage(host))
})

test.after.always(async () => {
  await host?.stop()
})

test('after a fresh install nothing is wrong, before and after the first request', async (t) => {
  for (let round = 0; round < 2; round++) {
    const { status, text, wrong } = await doctor(host)
    t.is(status, 0, text)
    t.deepEqual(wrong, [])
    t.regex(text, /^0 fail, 0 warn, \d+ ok, 1 skipped$/m)
  }
})

test('the time that doctor and check take', async (t) => {
  const time = async (command: string) => {
    const { stderr } = await host.run(`TIMEFORMAT=%R; time (for i in 1 2 3 4 5; do ${command} >/dev/null; done)`)
    const seconds = Number(stderr.trim()) / 5
    t.true(seconds > 0, stderr)
    t.log(`${command}: ${Math.round(seconds * 1000)} ms, mean of 5, with the service running`)
  }
  await time('fastapi-health check')
  await time('fastapi-health doctor')
  t.true((await host.run('fastapi-health --version')).code === 0)
})

test('--json is one document with every finding; colours are for terminals, and not with NO_COLOR', async (t) => {
  const document = JSON.parse(await host.sh('fastapi-health doctor --json')) as { healthy: boolean; findings: { check: string; verdict: string }[] }
  t.true(document.healthy)
  t.true(document.findings.length > 10)
  for (const { verdict } of document.findings) t.true(['ok', 'skipped'].includes(verdict))
  const onTerminal = (env: string) => host.sh(`script --quiet --return --command '${env} fastapi-health doctor' /dev/null`)
  t.true((await onTerminal('TERM=xterm')).includes('\x1b[32mok'))
  t.false((await onTerminal('NO_COLOR=1')).includes('\x1b['))
  t.false((await host.sh('fastapi-health doctor')).includes('\x1b['))
})

const faults: { name: string; fault: string; expected: RegExp[] }[] = [
  {
    name: 'a stopped socket',
    fault: 'systemctl stop fastAPI-unix.socket',
    expected: [/^fail socket: inactive and enabled; every client is refused/]
  },
  {
    name: 'a socket that will not be there after the next boot',
    fault: 'systemctl disable --no-warn fastAPI-unix.socket',
    expected: [/^warn socket: active .* but disabled: not there after the next boot/]
  },
  {
    name: 'a masked socket',
    fault: 'systemctl mask --now fastAPI-unix.socket',
    expected: [/^fail units: fastAPI-unix.socket masked/, /^fail socket: inactive .*masked/]
  },
  {
    name: 'a masked service',
    fault: 'systemctl mask fastAPI-unix.service',
    expected: [/^fail units: fastAPI-unix.service masked/]
  },
  {
    name: 'a missing runtime directory',
    fault: `${unwatch} && rm -r /run/fastAPI`,
    expected: [/^fail runtime directory: \/run\/fastAPI is missing/, /^fail socket file: .* is missing/, notWatched]
  },
  {
    name: 'a runtime directory of the wrong owner',
    fault: 'chown fastapi:http /run/fastAPI',
    expected: [/^fail runtime directory: \/run\/fastAPI is fastapi:http 0755, expected root:root 0755/]
  },
  {
    name: 'a runtime directory that clients cannot get through',
    fault: 'chmod 700 /run/fastAPI',
    expected: [/^fail runtime directory: .* 0700, .* clients cannot get through/]
  },
  {
    name: "a missing socket file",
    fault: `${unwatch} && rm /run/fastAPI/fastAPI.sock`,
    expected: [/^fail socket file: .* is missing, though the socket is active/, notWatched]
  },
  {
    name: 'a socket file that lets in others than the unit says',
    fault: 'chown root:alice /run/fastAPI/fastAPI.sock; chmod 600 /run/fastAPI/fastAPI.sock',
    expected: [/^fail socket file: .* is root:alice 0600, expected fastapi:http 0660/]
  },
  {
    name: 'a socket that a start limit has failed, and the limit',
    fault: `systemctl edit --stdin --drop-in=limit fastAPI-unix.service <<<$'[Unit]\\nStartLimitIntervalSec=60\\nStartLimitBurst=2'
      ${failingStart}; ${untilFailed}`,
    expected: [/^warn drop-ins: .*limit\.conf: StartLimitIntervalUSec is 1min, expected 0/, badSettings, /^fail socket: failed: service-start-limit-hit/, /^fail service: /]
  },
  {
    name: 'a socket that a trigger limit has failed, and the limit',
    fault: `systemctl edit --stdin --drop-in=limit fastAPI-unix.socket <<<$'[Socket]\\nTriggerLimitIntervalSec=60\\nTriggerLimitBurst=1'
      systemctl restart fastAPI-unix.socket
      for i in 1 2 3; do
        curl --silent --max-time 5 --unix-socket /run/fastAPI/fastAPI.sock http://localhost/health >/dev/null; systemctl stop --no-warn fastAPI-unix.service
      done; ${untilFailed}`,
    expected: [/^warn drop-ins: .*limit\.conf: TriggerLimitIntervalUSec is 1min, expected 0/, /^fail socket: failed: trigger-limit-hit/]
  },
  {
    name: 'a unit in /etc that shadows the packaged service',
    fault: `sed 's/^Description=.*/Description=old/' /usr/lib/systemd/system/fastAPI-unix.service >/etc/systemd/system/fastAPI-unix.service
      systemctl daemon-reload`,
    expected: [/^fail units: \/etc\/systemd\/system\/fastAPI-unix\.service in force instead of the packaged file/]
  },
  {
    name: 'a unit in /etc that shadows the packaged socket, which is enabled by it',
    fault: `cp /usr/lib/systemd/system/fastAPI-unix.socket /etc/systemd/system/ && systemctl daemon-reload && systemctl reenable fastAPI-unix.socket`,
    expected: [/^fail units: \/etc\/systemd\/system\/fastAPI-unix\.socket in force instead of the packaged file/]
  },
  {
    name: 'a drop-in that keeps upgrades from restarting the service',
    fault: "systemctl edit --stdin --drop-in=manual fastAPI-unix.service <<<$'[Unit]\\nRefuseManualStart=yes'",
    expected: [/^warn drop-ins: .*manual\.conf: RefuseManualStart is yes, expected no: upgrades cannot restart the service/]
  },
  {
    name: 'a unit file that systemd has not read since it changed',
    fault: 'sleep 1; touch /usr/lib/systemd/system/fastAPI-unix.service',
    expected: [/^warn units: fastAPI-unix\.service changed on disk/]
  },
  {
    name: 'bad settings, while somebody waits for the service to start',
    fault: `${failingStart}; timeout 20 bash -c 'until (( $(systemctl show -P NRestarts fastAPI-unix.service) > 1 )); do sleep 0.1; done'`,
    expected: [badSettings, /^fail service: (does not start|failed)/]
  },
  {
    name: 'settings that everybody may read',
    fault: 'chmod 644 /etc/fastAPI/fastAPI.env',
    expected: [/^warn settings file: .* 0644: everybody may read it/]
  },
  {
    name: 'settings that another than root owns',
    fault: 'chown alice /etc/fastAPI/fastAPI.env',
    expected: [/^fail settings file: .* is alice:root 0640: others than root may change it/]
  },
  {
    name: 'a state directory that the service could write to',
    fault: 'chown fastapi:fastapi /var/lib/fastAPI',
    expected: [/^fail state directory: .* is fastapi:fastapi 0755/]
  },
  {
    name: 'a missing state directory',
    fault: 'rm -r /var/lib/fastAPI',
    expected: [/^warn state directory: .* is missing/]
  }
]

for (const { name, fault, expected } of faults) {
  test(`${name}: named, and mended by the command that is printed`, async (t) => {
    t.timeout(120_000)
    await host.sh(fault)
    await nameAndMend(t, host, expected)
  })
}

test('a drop-in that takes nothing away is named, and nothing is wrong with it', async (t) => {
  await host.sh('systemctl revert fastAPI-unix.socket fastAPI-unix.service')
  await host.sh("systemctl edit --stdin --drop-in=group fastAPI-unix.socket <<<$'[Socket]\\nSocketGroup=fastapi' && systemctl restart fastAPI-unix.socket")
  const { status, text } = await doctor(host)
  t.is(status, 0, text)
  t.regex(text, /^ok +drop-ins +in force: \/etc\/systemd\/system\/fastAPI-unix\.socket\.d\/group\.conf$/m)
  t.regex(text, /^ok +socket file +.* is fastapi:fastapi 0660$/m)
  await host.sh('systemctl revert fastAPI-unix.socket && systemctl restart fastAPI-unix.socket')
})

test('a socket that a drop-in has put on TCP is asked there, and nothing is wrong with it', async (t) => {
  await host.sh("systemctl edit --stdin --drop-in=tcp fastAPI-unix.socket <<<$'[Socket]\\nListenStream=\\nListenStream=127.0.0.1:8000' && systemctl restart fastAPI-unix.socket")
  const { status, text } = await doctor(host, { user: 'alice' })
  t.is(status, 0, text)
  t.regex(text, /^ok +answer +http:\/\/127\.0\.0\.1:8000\/health is healthy/m)
  t.regex(text, /^skipped +socket file +none: the socket listens on 127\.0\.0\.1:8000$/m)
  await host.sh('systemctl revert fastAPI-unix.socket && systemctl restart fastAPI-unix.socket')
})

test('who may not connect gets the usermod line, and is told what only root can see', async (t) => {
  const found = await nameAndMend(t, host, [/^fail caller: alice may not connect: not in group http/], { user: 'alice' })
  t.deepEqual(found.mends, ['usermod -aG http alice'])
  t.regex(found.text, /^skipped +settings +.*cannot be read \(EACCES\); run as root/m)
  t.regex(found.text, /^skipped +nginx +only root/m)
  await host.sh('gpasswd --delete alice http')
})

test('a release that failed its trial, beside which the old one runs on, is rolled back by the command that is printed', async (t) => {
  t.timeout(600_000)
  await pacmanU(host, await pushPackage(host, badReleases[0]?.package))
  const { mends } = await nameAndMend(t, host, [/^warn release: \S+ runs, 2\.0\.1-1 is installed and failed its trial/])
  t.deepEqual(mends, ['fastapi-health releases rollback'])
})

test('a newer release that was installed without a restart, and a new default beside changed settings', async (t) => {
  t.timeout(600_000)
  await host.sh(`mkdir -p /etc/pacman.d/hooks && ln -s /dev/null /etc/pacman.d/hooks/50-fastapi-health-upgrade.hook
    echo LOG_LEVEL=warn >>/etc/fastAPI/fastAPI.env && systemctl restart fastAPI-unix.service`)
  await pacmanU(host, await pushPackage(host, { pkgrel: 2, edit: "echo '#NEW=1' >>dist-units/fastAPI.env" }))
  const { mends } = await nameAndMend(t, host, [
    /^warn unmerged files: \/etc\/fastAPI\/fastAPI\.env\.pacnew is not merged/,
    /^warn release: \S+-1 runs, \S+-2 is installed/
  ])
  t.true(mends.includes('systemctl restart fastAPI-unix.service'))
  t.is(await host.sh('tail -n 1 /etc/fastAPI/fastAPI.env'), 'LOG_LEVEL=warn\n')
  await host.sh('rm /etc/pacman.d/hooks/50-fastapi-health-upgrade.hook')
})

test('a node that is missing, not executable, too old or broken', async (t) => {
  t.timeout(600_000)
  // A repository with what the host has: where the commands that are printed get it from.
  await host.sh(`mkdir -p /root/repo && cd /root/repo && provide-package nodejs $(pacman -Q nodejs | cut -d ' ' -f 2) /root/repo -- usr/bin/node >/dev/null
    repo-add --quiet stock.db.tar.gz nodejs-*.pkg.tar.zst >/dev/null
    printf '[stock]\\nSigLevel = Optional TrustAll\\nServer = file:///root/repo\\n' >>/etc/pacman.conf && pacman -Sy --quiet 2>&1`)

  await host.sh('systemctl stop fastAPI-unix.service && rm /usr/bin/node')
  t.regex((await host.run('fastapi-health check')).stderr, /node is missing: the service cannot start; run: pacman -S nodejs/)
  await nameAndMend(t, host, [/^fail node: \/usr\/bin\/node is missing: the service cannot start, and nothing else/])

  await host.sh('systemctl stop fastAPI-unix.service && chmod 644 /usr/bin/node')
  await nameAndMend(t, host, [/^fail node: \/usr\/bin\/node is not executable/])

  await host.push(await nodeBinary(18), '/usr/bin/node.new', { mode: '755' })
  await host.sh('systemctl stop fastAPI-unix.service && mv /usr/bin/node.new /usr/bin/node')
  await nameAndMend(t, host, [/^fail node: \/usr\/bin\/node is v18\.\S+, expected v20 or newer/])

  // The node that starts the service need not be the one that runs doctor.
  await host.write('/opt/broken/node', '#!/bin/sh\necho "libfoo.so: not found" >&2\nexit 127\n', { mode: '755' })
  await host.sh(`systemctl stop fastAPI-unix.service
    systemctl edit --stdin --drop-in=node fastAPI-unix.service <<<$'[Service]\\nExecStart=\\nExecStart=/opt/broken/node /usr/lib/fastapi-health/index.js serve'`)
  const { wrong, mends } = await doctor(host)
  t.deepEqual(wrong, ['fail node: /opt/broken/node --version: expected a version, got status 127, "libfoo.so: not found"'])
  t.deepEqual(mends, ['pacman -S nodejs'])
  await host.sh('systemctl revert fastAPI-unix.service')
})

test('where systemd does not run, what needs it is left out with the reason', async (t) => {
  const { stdout } = await host.run('unshare --mount bash -c "mount -t tmpfs none /run/systemd && fastapi-health doctor"')
  t.regex(stdout, /^skipped +units +systemd does not answer: /m)
  t.regex(stdout, /^skipped +socket +systemd does not answer: /m)
  t.regex(stdout, /^ok +node /m)
})
