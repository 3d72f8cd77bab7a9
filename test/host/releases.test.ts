import { badReleases } from './bad-releases.js'
import { bootHost, type Host } from './host.js'
import { pacmanU, pushPackage } from './pacman.js'
import { addSettings, history, serves } from './releases.js'
import { test } from './test.js'

// fastapi-health releases, as an administrator meets it on a host where nothing is wrong, and where something is.

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

const releases = (rest: string, user = 'root', input = '') => host.run(`fastapi-health releases ${rest}`, { user, input, timeoutMs: 120_000 })
const document = async () =>
  JSON.parse(await host.sh("curl -sS -m 10 -H 'Accept: application/health+json' --unix-socket /run/fastAPI/fastAPI.sock http://localhost/health")) as {
    status: string
    releaseId: string
    checks: Record<string, { status: string; observedValue: string; output?: string }[]>
  }

test('list shows what is installed, running, kept and in the cache, and starts nothing', async (t) => {
  await host.sh(`cp ${older} /var/cache/pacman/pkg/fastapi-health-0.9.0-1-any.pkg.tar.zst`)
  await pacmanU(host, newer)
  const idle = await releases('list')
  t.log(`\n${idle.stdout}`)
  t.regex(idle.stdout, /^installed {2}1\.1\.0-1 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}answered when it was installed\n/)
  t.regex(idle.stdout, /^running +none +- +inactive$/m)
  t.regex(idle.stdout, /^kept +1\.0\.0-1 +[\d-]+ [\d:]+ +\/var\/lib\/fastAPI\/releases\/fastapi-health-1\.0\.0-1-any\.pkg\.tar\.zst$/m)
  t.regex(idle.stdout, /^cached +0\.9\.0-1 +[\d-]+ [\d:]+ +\/var\/cache\/pacman\/pkg\/fastapi-health-0\.9\.0-1-any\.pkg\.tar\.zst$/m)
  t.is((await host.run('systemctl is-active fastAPI-unix.service')).stdout, 'inactive\n')
  t.is((await document()).releaseId, '1.1.0-1')
  t.regex((await releases('list')).stdout, /^running +1\.1\.0-1 +[\d-]+ [\d:]+$/m)
  t.regex((await releases('list', 'alice')).stdout, /^kept +\? +- +only root sees what is kept$/m)
  await host.sh('rm /var/cache/pacman/pkg/fastapi-health*')
})

test('rollback says what it would do, asks before it does it, and does it', async (t) => {
  const dry = await releases('rollback --dry-run')
  t.is(dry.stdout, 'fastapi-health: would go from 1.1.0-1 to 1.0.0-1: pacman -U --noconfirm /var/lib/fastAPI/releases/fastapi-health-1.0.0-1-any.pkg.tar.zst\n')
  for (const answer of ['n\n', '\n', '']) {
    const refused = await releases('rollback', 'root', answer)
    t.is(refused.code, 1)
    t.regex(refused.stdout, /^Go from 1\.1\.0-1 to 1\.0\.0-1\? \[y\/N\] /)
    t.regex(refused.stderr, /nothing was done/)
  }
  await serves(t, host, '1.1.0-1')
  const done = await releases('rollback', 'root', 'y\n')
  t.is(done.code, 0)
  t.regex(done.stdout, /1\.0\.0-1 serves/)
  await serves(t, host, '1.0.0-1')
  // There and back again, by its version without pkgrel.
  t.is((await releases('rollback 1.1.0 --yes')).code, 0)
  await serves(t, host, '1.1.0-1')
  t.deepEqual((await history(host)).slice(-2), ['rollback 1.1.0-1 1.0.0-1 healthy', 'rollback 1.0.0-1 1.1.0-1 healthy'])
})

test('what cannot be done is refused with the reason and a status of its own', async (t) => {
  const refusals: [string, string, number, RegExp][] = [
    ['rollback 9.9.9', 'root', 1, /9\.9\.9 is neither kept nor in pacman's cache; there are: 1\.\d\.0-1 1\.\d\.0-1\n$/],
    ['rollback 1.1.0-1', 'root', 1, /1\.1\.0-1 is installed already\n$/],
    ['rollback --yes', 'alice', 77, /rollback needs root; run it with sudo\n$/],
    ['rollback --now', 'root', 64, /expected --yes or --dry-run, got '--now'/],
    ['rollback 1 2', 'root', 64, /expected one VERSION, got '1' and '2'/],
    ['list all', 'root', 64, /list takes no arguments, got 'all'/],
    ['undo', 'alice', 77, /undo needs root/],
    ['', 'root', 64, /expected list, rollback or history, got ''\nUsage: /],
    ['forward', 'root', 64, /expected list, rollback or history, got 'forward'\nUsage: /]
  ]
  for (const [command, user, status, message] of refusals) {
    const { code, stderr } = await releases(command, user)
    t.is(code, status, command)
    t.regex(stderr, message)
  }
  for (const command of ['--help', 'list --help', 'rollback --help', 'history --help']) {
    const { code, stdout } = await releases(command, 'alice')
    t.is(code, 0)
    t.regex(stdout, /^Usage: fastapi-health releases list\n/)
  }
  await serves(t, host, '1.1.0-1')
})

test('each event is one entry in the journal, found by its MESSAGE_ID', async (t) => {
  const lines = (await host.sh('journalctl -q -o json MESSAGE_ID=250dad8eb80c4ecc817638cc3c0099c7')).trimEnd().split('\n')
  const events = lines.map((line) => JSON.parse(line) as Record<string, string>)
  t.is(events.length, 4)
  const last = events.at(-1)
  t.is(`${last?.['EVENT']} ${last?.['OLD']} ${last?.['NEW']} ${last?.['VERDICT']}`, 'rollback 1.0.0-1 1.1.0-1 healthy')
  t.regex(last?.['WAITED_MS'] ?? '', /^\d+$/)
  t.is(last?.['MESSAGE'], 'rollback from 1.0.0-1 to 1.1.0-1: healthy (1.1.0-1 serves)')
  t.is(last?.['PRIORITY'], '6')
})

test('history knows from pacman\'s log what the journal has lost', async (t) => {
  await host.sh('journalctl -q --rotate && journalctl -q --vacuum-time=1s && sleep 1 && journalctl -q --vacuum-time=1s 2>/dev/null')
  t.deepEqual((await history(host)).slice(0, 2), ['install - 1.0.0-1 -', 'upgrade 1.0.0-1 1.1.0-1 -'])
})

test('a release that runs and is not installed is a warning in the health document, never a failure', async (t) => {
  const before = await document()
  t.is(before.status, 'pass')
  t.is(before.checks['release:installed']?.[0]?.observedValue, '1.1.0-1')
  // Its trial fails, so the process that runs is left alone.
  const [crashing] = badReleases
  await pacmanU(host, await pushPackage(host, crashing?.package))
  const after = await document()
  t.is(after.status, 'warn')
  t.is(after.releaseId, '1.1.0-1')
  t.is(after.checks['release:installed']?.[0]?.observedValue, '2.0.1-1')
  t.regex(after.checks['release:installed']?.[0]?.output ?? '', /^expected the installed release 2\.0\.1-1, got 1\.1\.0-1; /)
  t.is((await releases('rollback --yes')).code, 0)
  t.is((await document()).status, 'pass')
})

test('a fault that nodejs brings is not laid at the release\'s door', async (t) => {
  await addSettings(host, 'AUTO_ROLLBACK=yes')
  await host.sh('mkdir -p /root/broken/usr/bin && cp --preserve=mode /usr/bin/false /root/broken/usr/bin/node')
  const nodejs = (await host.sh('provide-package nodejs 99.0.0-1 /root --root /root/broken -- usr/bin/node')).trim()
  await host.sh('cp /usr/bin/node /root/node')
  const output = await pacmanU(host, nodejs)
  t.regex(output, /1\.1\.0-1 DOES NOT SERVE[\s\S]*only nodejs changed, so another release of fastapi-health would not help/)
  t.deepEqual((await history(host)).slice(-1), ['node - 1.1.0-1 bad'])
  // The way back works without node.
  t.is((await releases('rollback --dry-run')).code, 0)
  await host.sh('cp /root/node /usr/bin/.node && mv /usr/bin/.node /usr/bin/node')
  t.is((await document()).status, 'pass')
})
