import { badReleases, type BadRelease } from './bad-releases.js'
import { bootHost, type Host } from './host.js'
import { pacmanU, pushPackage, servingRelease } from './pacman.js'
import { addSettings, history, printedCommand, rollbackEnded, serves } from './releases.js'
import { test } from './test.js'
import { startLoad } from '../load/in-host.js'
import { described } from '../load/load.js'

// A bad release must not stay: five kinds of fault, each with the rollback that AUTO_ROLLBACK=yes brings and with the
// command that pacman's output shows without it, under clients that wait up to 30 s.

const socketPath = '/run/fastAPI/fastAPI.sock'
const long = process.env['PROOF'] === 'full'
/** What a release that hangs is given; the default of 15 s in the long form. */
const patience = long ? '' : 'FASTAPI_HEALTH_PATIENCE=4 '
const old = '1.0.0-1'

let host: Host
const paths = new Map<string, string>()

test.before(async (t) => {
  t.timeout(900_000)
  host = await bootHost()
  await pacmanU(host, await pushPackage(host, { version: '1.0.0' }))
  for (const bad of badReleases) paths.set(bad.fault, await pushPackage(host, bad.package))
  // One release refuses it, the old one takes it.
  await addSettings(host, 'DRAIN_GRACE=5', 'SHUTDOWN_TIMEOUT=6', 'AUTO_ROLLBACK=yes')
  await host.sh('systemctl try-restart fastAPI-unix.service')
})

test.after.always(async () => {
  await host?.stop()
})

/** As an administrator would; everything that it printed. */
const install = (bad: BadRelease) => host.sh(`${patience}pacman -U --noconfirm ${paths.get(bad.fault)} 2>&1`, { timeoutMs: 120_000 })

const load = (connections: 'new' | 'kept', clients: number) =>
  startLoad(host, { target: { socketPath }, connections, clients, thinkMs: 20, requests: 200_000, durationMs: 180_000 })

for (const bad of badReleases) {
  const release = `${bad.package.version}-1`

  test(`a release that ${bad.fault} is undone by itself, and no request is lost`, async (t) => {
    t.timeout(600_000)
    for (let round = 0; round < (long ? 3 : 1); round++) {
      const loads = [await load('new', 10), await load('kept', 10)]
      const output = await install(bad)
      const endedMs = performance.now()
      const first = await servingRelease(host)
      const answerMs = performance.now() - endedMs
      t.regex(output, new RegExp(`${release} DOES NOT SERVE`))
      t.regex(output, bad.said)
      t.regex(output, /AUTO_ROLLBACK=yes: 1\.0\.0-1 is installed again/)
      t.is(first, old)
      const tookS = await rollbackEnded(host)
      await serves(t, host, old)
      t.deepEqual((await history(host)).slice(-2), [`upgrade ${old} ${release} bad`, `rollback ${release} ${old} healthy`])
      for (const running of loads) {
        const report = await running.stop()
        t.log(described(report))
        t.deepEqual(report.failures, {})
        t.true(report.answered > 0)
      }
      t.log(`after pacman's end: an answer from ${first} in ${(answerMs / 1000).toFixed(2)} s, the old release installed in ${tookS.toFixed(2)} s`)
    }
  })
}

test('a release that answers nobody is undone while those who woke the idle service wait', async (t) => {
  t.timeout(600_000)
  const silent = badReleases.filter(({ fault }) => fault !== 'answers 500')
  for (const bad of long ? silent : silent.filter(({ fault }) => /crashes|hangs/.test(fault))) {
    await host.sh('systemctl stop --no-warn fastAPI-unix.service')
    await install(bad)
    const endedMs = performance.now()
    // The bad release is what they wake, unless the rollback was faster.
    const report = await (await startLoad(host, { target: { socketPath }, connections: 'new', clients: 20, requests: 20, durationMs: 30_000 })).report
    t.log(`${bad.fault}: first answers ${((performance.now() - endedMs) / 1000).toFixed(2)} s after pacman's end; ${described(report)}`)
    t.is(report.answered, 20)
    await rollbackEnded(host)
    await serves(t, host, old)
  }
})

test('without AUTO_ROLLBACK pacman\'s output names the fault and the command, which mends it', async (t) => {
  t.timeout(600_000)
  await host.sh("sed -i 's/^AUTO_ROLLBACK=yes/#&/' /etc/fastAPI/fastAPI.env")
  for (const bad of badReleases) {
    const release = `${bad.package.version}-1`
    const loads = [await load('new', 10), await load('kept', 10)]
    const output = await install(bad)
    t.regex(output, new RegExp(`${release} DOES NOT SERVE\\n +expected +status 200 from release ${release}`))
    t.regex(output, bad.said)
    t.regex(output, /^ +unit +fastapi-health-trial\.service: ActiveState=/m)
    t.is(await host.sh('pacman -Q fastapi-health'), `fastapi-health ${release}\n`)
    t.regex(await host.sh('fastapi-health releases list'), new RegExp(`^installed +${release} .*DID NOT ANSWER.*\\nrunning +${old} `))

    // As pasted: pacman asks, the administrator agrees.
    const mended = await host.sh(`${printedCommand(output)} 2>&1`, { input: 'y\n', timeoutMs: 120_000 })
    t.regex(mended, /1\.0\.0-1 serves/)
    await serves(t, host, old)
    t.deepEqual((await history(host)).slice(-2), [`upgrade ${old} ${release} bad`, `rollback ${release} ${old} healthy`])
    for (const running of loads) {
      const report = await running.stop()
      t.log(`${bad.fault}: ${described(report)}`)
      t.deepEqual(report.failures, {})
    }
  }
})
