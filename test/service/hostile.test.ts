import { readFileSync } from 'node:fs'
import test from 'ava'
import { hostileCases } from '../hostile/cases.js'
import { sendGarbage } from '../hostile/garbage.js'
import { faultsOf, statusLine } from '../hostile/judge.js'
import { playAll } from '../hostile/play.js'
import { activateService, ask, type Service } from './service.js'

/** Resident memory at its highest, as the kernel counts it, in MiB. */
function peakMib(service: Service): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${service.child.pid}/status`, 'utf8'))?.[1]) / 1024
}

/** Lines of the log that the service itself would not write: each of its own is one JSON object of a known message. */
function foreignLines(service: Service): string[] {
  const own = ['request', 'ready', 'draining', 'answer not delivered']
  const lines = service.log().split('\n').slice(1, -1) // the first is systemd-socket-activate's, the last not ended yet
  return lines.filter((line) => {
    try {
      return !own.includes((JSON.parse(line) as { msg: string }).msg) || /[^\x20-\x7e]/.test(line)
    } catch {
      return !/^(Communication attempt|Execing|Listening on)/.test(line)
    }
  })
}

// At debug every request is logged, and takes another way through the service.
for (const level of ['info', 'debug']) {
  test(`every hostile request has the answer that the table expects, and does no harm, at LOG_LEVEL=${level}`, async (t) => {
    const service = await activateService(t, { LOG_LEVEL: level })
    const exchanges = await playAll({ path: service.socketPath }, 'socket')
    for (const [index, found] of exchanges.entries()) {
      t.is(statusLine(found.answers.map(({ status }) => status)), statusLine(hostileCases[index]?.socket ?? []), found.title)
      t.deepEqual(faultsOf(found, 'socket'), [], found.title)
      if (found.title.startsWith('1 GiB')) t.true(found.sentBytes < 8 * 1024 * 1024, `${found.title}: ${found.sentBytes} bytes were taken`)
    }
    t.is((await ask(service, 'GET', '/health')).status, 200)
    t.is(service.child.exitCode, null)
    t.deepEqual(foreignLines(service), [])
    t.log(`${exchanges.length} cases, resident memory at its highest ${Math.round(peakMib(service))} MiB`)
    t.true(peakMib(service) < 400)
  })
}

test('generated garbage gets no 5xx, nothing of the inside, and does not end the service', async (t) => {
  t.timeout(900_000)
  const service = await activateService(t)
  const full = process.env['PROOF'] === 'full'
  const run = await sendGarbage({ path: service.socketPath }, 1, full ? 600_000 : 4_000)
  t.log(`${run.connections} connections, answers ${JSON.stringify(run.answers)}, memory at its highest ${Math.round(peakMib(service))} MiB`)
  t.deepEqual(run.faults, [])
  t.true(run.connections > 100)
  t.is((await ask(service, 'GET', '/health')).status, 200)
  t.deepEqual(foreignLines(service), [])
  t.true(peakMib(service) < 400)
})
