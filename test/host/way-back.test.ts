import { badReleases } from './bad-releases.js'
import { bootHost, type Host } from './host.js'
import { buildPackage } from './packages.js'
import { pacmanU, pushPackage } from './pacman.js'
import { addSettings, history, printedCommand, rollbackEnded, serves } from './releases.js'
import { test } from './test.js'

// What can come between a bad release and the way back from it: in each case what the administrator sees, and what is true.

const state = '/var/lib/fastAPI/releases'
const lock = '/var/lib/pacman/db.lck'
const old = '1.0.0-1'
const [crashing, broken] = badReleases.filter(({ fault }) => /crashes|syntax/.test(fault))

let host: Host
let good = ''
let newer = ''
let bad = ''
let worse = ''

test.before(async (t) => {
  t.timeout(900_000)
  host = await bootHost()
  good = await pushPackage(host, { version: '1.0.0' })
  newer = await pushPackage(host, { version: '1.1.0' })
  bad = await pushPackage(host, crashing?.package)
  worse = await pushPackage(host, broken?.package)
  await pacmanU(host, good)
  // Short, so that a test need not wait for what is meant to be minutes.
  await host.write('/etc/systemd/system/fastapi-health-rollback@.service.d/patience.conf', '[Service]\nEnvironment=LOCK_PATIENCE=8 STALE_PATIENCE=3\n')
  await host.sh('systemctl daemon-reload')
})

test.after.always(async () => {
  await host?.stop()
})

const automatic = (value: 'yes' | 'no') => addSettings(host, `AUTO_ROLLBACK=${value}`)
/** What the units that roll back said since `since`. */
const said = async (since: string) => host.sh(`journalctl --sync; journalctl -q -o cat --since='${since}' -u 'fastapi-health-rollback@*'`)
const now = async () => (await host.sh("date '+%F %T'")).trim()

test('a bad release over a bad release: the way back leads to the last one that served', async (t) => {
  const first = await pacmanU(host, bad)
  t.regex(first, /2\.0\.1-1 DOES NOT SERVE/)
  const second = await pacmanU(host, worse)
  t.regex(second, /2\.0\.1-1 is not kept for rollback: it did not serve when it was installed, and it does not now/)
  t.regex(second, /2\.0\.2-1 DOES NOT SERVE/)
  t.regex(printedCommand(second), /fastapi-health-1\.0\.0-1-any\.pkg\.tar\.zst$/)
  // The bundle of the installed release is a syntax error: the commands that lead away from it work all the same.
  const list = await host.sh('fastapi-health releases list')
  t.regex(list, /^installed +2\.0\.2-1 .*DID NOT ANSWER/m)
  t.regex(list, /^kept +1\.0\.0-1 /m)
  t.regex(await host.sh('fastapi-health releases rollback --dry-run'), /would go from 2\.0\.2-1 to 1\.0\.0-1: pacman -U --noconfirm \S+1\.0\.0-1-any/)
  t.regex(await host.sh('fastapi-health releases rollback --yes 2>&1'), /1\.0\.0-1 serves/)
  await serves(t, host, old)
  t.deepEqual((await history(host)).slice(-3), [`upgrade ${old} 2.0.1-1 bad`, 'upgrade 2.0.1-1 2.0.2-1 bad', `rollback 2.0.2-1 ${old} healthy`])
})

test('so it does by itself, once for the two transactions in a row', async (t) => {
  await automatic('yes')
  const since = await now()
  await host.sh(`pacman -U --noconfirm ${bad} && pacman -U --noconfirm ${worse}; true`)
  await rollbackEnded(host)
  await serves(t, host, old)
  t.regex(await said(since), /rolled back from 2\.0\.[12]-1 to 1\.0\.0-1/)
})

test('a release that somebody mended before pacman was free is left alone', async (t) => {
  const since = await now()
  // Another transaction follows at once, before the rollback can have the lock.
  await host.sh(`
    pacman -U --noconfirm ${bad} >/dev/null 2>&1 &
    until systemctl list-units --legend=no 'fastapi-health-rollback@*' | grep -q .; do sleep 0.02; done
    systemctl kill --signal=STOP 'fastapi-health-rollback@*'
    wait
    pacman -U --noconfirm ${newer} >/dev/null 2>&1
    systemctl kill --signal=CONT 'fastapi-health-rollback@*'`, { timeoutMs: 120_000 })
  await rollbackEnded(host)
  await serves(t, host, '1.1.0-1')
  t.regex(await said(since), /2\.0\.1-1 is no longer installed, 1\.1\.0-1 is: nothing to undo/)
  await pacmanU(host, good)
})

test('a rollback whose release does not serve either stops there, and says so', async (t) => {
  const since = await now()
  // The old release no longer takes what is set; the new one neither.
  await addSettings(host, 'IDLE_TIMEOUT=never')
  const output = await pacmanU(host, newer)
  t.regex(output, /1\.1\.0-1 DOES NOT SERVE/)
  t.regex(output, /IDLE_TIMEOUT="never": expected/)
  await rollbackEnded(host)
  t.is(await host.sh('pacman -Q fastapi-health'), `fastapi-health ${old}\n`)
  t.regex(await said(since), /1\.0\.0-1 DOES NOT SERVE[\s\S]*this was a rollback already: nothing more is tried[\s\S]*1\.0\.0-1, rolled back to, does not serve either; nothing more is tried/)
  t.regex(await host.sh('systemctl --failed --legend=no'), /fastapi-health-rollback@1\.1\.0/)
  t.deepEqual((await history(host)).slice(-2), [`upgrade ${old} 1.1.0-1 bad`, `rollback 1.1.0-1 ${old} bad`])
  await host.sh("sed -i '/^IDLE_TIMEOUT=never/d' /etc/fastAPI/fastAPI.env; systemctl reset-failed")
  // Mended by the administrator: it counts as served, and is kept again by the next upgrade.
  t.regex(await pacmanU(host, newer), /1\.1\.0-1 serves/)
  t.regex(await pacmanU(host, good), /1\.0\.0-1 serves/)
})

test('a lock that stays: who has it is said, then the command to roll back when it is gone', async (t) => {
  const since = await now()
  const output = await host.sh(`pacman -U --noconfirm ${bad} 2>&1; exec 9> ${lock}; sleep 12; rm ${lock}`, { timeoutMs: 120_000 })
  t.regex(output, /AUTO_ROLLBACK=yes/)
  await rollbackEnded(host)
  t.regex(await said(since), /2\.0\.1-1 was not rolled back to 1\.0\.0-1: pacman's lock stayed for 8 s: process \d+ \(.*\) is at work/)
  t.regex(await said(since), /to roll back then: pacman -U \S+1\.0\.0-1-any\.pkg\.tar\.zst/)
  t.is(await host.sh('pacman -Q fastapi-health'), 'fastapi-health 2.0.1-1\n')
  t.deepEqual((await history(host)).slice(-2), [`upgrade ${old} 2.0.1-1 bad`, `rollback 2.0.1-1 ${old} failed`])
  await host.sh('systemctl reset-failed')

  await host.sh(`touch ${lock}`)
  const refused = await host.run('fastapi-health releases rollback --yes')
  t.is(refused.code, 1)
  t.regex(refused.stderr, /pacman's database is locked: no process has \S+ open, so an interrupted one left it; if no pacman is running: rm \S+/)
  await host.sh(`rm ${lock}`)
  await host.sh('fastapi-health releases rollback --yes')
  await serves(t, host, old)
})

test('a lock that is gone in time is only waited for', async (t) => {
  await host.sh(`pacman -U --noconfirm ${bad} >/dev/null 2>&1; exec 9> ${lock}; sleep 2; rm ${lock}`, { timeoutMs: 120_000 })
  await rollbackEnded(host)
  await serves(t, host, old)
})

test('a rollback to a release whose package is gone is not tried, and what else is kept is named', async (t) => {
  await pacmanU(host, newer)
  await automatic('yes')
  await host.sh(`rm -f ${state}/fastapi-health-1.1.0*`)
  const output = await host.sh(`
    (until [ -e ${state}/fastapi-health-1.1.0-1-any.pkg.tar.zst ]; do sleep 0.01; done; rm ${state}/fastapi-health-1.1.0*) &
    pacman -U --noconfirm ${bad} 2>&1; wait`)
  t.regex(output, /no package of 1\.1\.0-1 is kept or in pacman's cache; install a release that serves: pacman -U FILE\n +kept +\S+1\.0\.0-1-any\.pkg\.tar\.zst/)
  const refused = await host.run('fastapi-health releases rollback 1.1.0 --yes')
  t.is(refused.code, 1)
  t.regex(refused.stderr, /releases: 1\.1\.0 is neither kept nor in pacman's cache; there are: 1\.0\.0-1\n/)
  t.regex(await host.sh('fastapi-health releases list'), /^installed +2\.0\.1-1[\s\S]*^kept +1\.0\.0-1/m)
  await host.sh('fastapi-health releases rollback --yes')
  await serves(t, host, old)
})

test('a release that was built again under the same version is undone to the build before it', async (t) => {
  const build = await host.sh('sha256sum /var/lib/pacman/local/fastapi-health-1.0.0-1/mtree')
  const again = await pushPackage(host, { version: '1.0.0', edit: crashing?.package.edit ?? '' })
  const output = await pacmanU(host, again)
  t.regex(output, /1\.0\.0-1 DOES NOT SERVE[\s\S]*AUTO_ROLLBACK=yes: 1\.0\.0-1 is installed again/)
  await rollbackEnded(host)
  t.is(await host.sh('sha256sum /var/lib/pacman/local/fastapi-health-1.0.0-1/mtree'), build)
  await serves(t, host, old)
  t.deepEqual((await history(host)).slice(-2), [`reinstall ${old} ${old} bad`, `rollback ${old} ${old} healthy`])
  await host.push(await buildPackage({ version: '1.0.0' }), good)
})

test('a power cut between the upgrade and its verdict: the next boot gives it, and rolls back', async (t) => {
  t.timeout(180_000)
  // The power goes when the files are in place and the release is on trial.
  host.spawn(`pacman -U --noconfirm ${bad}`, { stdio: 'ignore' })
  await host.sh('until [ -e /run/systemd/system/fastapi-health-trial.service ]; do sleep 0.01; done')
  // Who would give the verdict waits for it.
  await host.sh("pkill -STOP -f '/usr/lib/fastapi-health/[r]eleases'")
  await host.kill()
  await host.boot()
  await host.sh('systemctl is-system-running --wait || true')
  t.is(await host.sh('pacman -Q fastapi-health'), 'fastapi-health 2.0.1-1\n')
  t.regex(await host.sh('journalctl -b -q -o cat -u fastapi-health-gate.service'), /2\.0\.1-1 DOES NOT SERVE[\s\S]*Error: out of order/)
  // pacman's lock survives a power cut, and is a person's to remove.
  await rollbackEnded(host)
  t.regex(await said('-2min'), /was not rolled back to 1\.0\.0-1: no process has \S+ open, so an interrupted one left it; if no pacman is running: rm \S+/)
  t.deepEqual((await history(host)).slice(-2), [`boot ${old} 2.0.1-1 bad`, `rollback 2.0.1-1 ${old} failed`])
  t.is((await host.run(`test -e ${state}/pending`)).code, 1)
  await host.sh(`systemctl reset-failed; rm ${lock}`)
  t.regex(await host.sh('fastapi-health releases rollback --yes 2>&1'), /1\.0\.0-1 serves/)
  await serves(t, host, old)
})
