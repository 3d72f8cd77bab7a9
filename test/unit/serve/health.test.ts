import test from 'ava'
import { healthDocument } from '../../../src/serve/health.js'
import { release } from '../../../src/release.js'
import { noLimits, startApp } from './start-app.js'

const accept = { Accept: 'application/health+json' }

test('GET /health with Accept: application/health+json is the health document', async (t) => {
  const { ask } = await startApp(t)
  const { status, headers, body } = await ask('GET', '/health', accept)
  t.is(status, 200)
  t.is(headers['content-type'], 'application/health+json')
  t.is(headers['cache-control'], 'no-store')
  t.is(headers.vary, 'Accept')
  const document = JSON.parse(body) as Record<string, unknown>
  t.is(document['status'], 'pass')
  t.is(document['releaseId'], release)
  t.is(document['version'], release.replace(/-.*/, ''))
  t.is(document['serviceId'], 'fastapi-health')
})

test('a media type among others asks for it, too; the plain answer stays for all others', async (t) => {
  const { ask } = await startApp(t)
  t.is((await ask('GET', '/health', { Accept: 'text/html, application/health+json;q=0.9' })).headers['content-type'], 'application/health+json')
  for (const other of ['*/*', 'application/json', 'text/html', '']) {
    t.is((await ask('GET', '/health', { Accept: other })).body, '{"status":"ok"}')
  }
})

test('HEAD with that Accept has its headers and no body', async (t) => {
  const { ask } = await startApp(t)
  const { status, headers, body } = await ask('HEAD', '/health', accept)
  t.is(status, 200)
  t.is(headers['content-type'], 'application/health+json')
  t.is(body, '')
})

test('it tells uptime, event-loop delay, memory and disk, each with its unit and its time', async (t) => {
  const { checks } = await healthDocument(noLimits)
  const units = { uptime: 's', 'eventLoop:delay': 'ms', 'memory:resident': 'B', 'disk:free': 'B' }
  for (const [name, unit] of Object.entries(units)) {
    const check = checks[name]?.[0]
    t.is(check?.status, 'pass', name)
    t.is(check?.observedUnit, unit, name)
    t.true(Number(check?.observedValue) >= 0, name)
    t.is(new Date(check?.time ?? '').toISOString(), check?.time ?? 'none', name)
  }
  t.is(checks['disk:free']?.[0]?.componentId, '/')
})

test('a disk with less free than DISK_FREE_WARN is a warning with the figures, and still 200', async (t) => {
  // More than a setting may say: of a fresh tmpfs, as a container's root can be, all is free.
  const { ask } = await startApp(t, { ...noLimits, diskFreeWarnPercent: 101 })
  const { status, body } = await ask('GET', '/health', accept)
  t.is(status, 200)
  const document = JSON.parse(body) as { status: string; checks: Record<string, { status: string; output: string }[]> }
  t.is(document.status, 'warn')
  t.is(document.checks['disk:free']?.[0]?.status, 'warn')
  t.regex(document.checks['disk:free']?.[0]?.output ?? '', /% of \d+ B is free, expected at least DISK_FREE_WARN, 101 %/)
})

test('memory below MEMORY_FREE_WARN is a warning', async (t) => {
  const { status, checks } = await healthDocument({ ...noLimits, memoryFreeWarnPercent: 100 })
  t.is(status, 'warn')
  t.regex(checks['memory:available']?.[0]?.output ?? '', /MEMORY_FREE_WARN/)
})

test('a blocked event loop is a warning once EVENT_LOOP_DELAY_WARN is set', async (t) => {
  const asked = healthDocument({ ...noLimits, eventLoopDelayWarnMs: 20 })
  const until = Date.now() + 100
  while (Date.now() < until);
  const { status, checks } = await asked
  t.is(status, 'warn')
  t.is(checks['eventLoop:delay']?.[0]?.output, 'expected at most EVENT_LOOP_DELAY_WARN, 20 ms')
})

test('the plain answer stays as it is, whatever the limits say', async (t) => {
  const { ask } = await startApp(t, { eventLoopDelayWarnMs: 1, diskFreeWarnPercent: 100, memoryFreeWarnPercent: 100 })
  t.is((await ask('GET', '/health')).body, '{"status":"ok"}')
})
