import test from 'ava'
import { isExitError } from '../../../src/exit.js'
import { readSettings } from '../../../src/serve/settings.js'

function problemsOf(env: NodeJS.ProcessEnv): string {
  try {
    readSettings(env)
  } catch (error) {
    if (isExitError(error) && error.exitStatus === 78) return error.message
    throw error
  }
  return ''
}

test('an empty environment gives the documented defaults', (t) => {
  t.deepEqual(readSettings({}), {
    logLevel: 'info',
    idleTimeoutMs: 90_000,
    drainGraceMs: 500,
    shutdownTimeoutMs: 10_000,
    keepAliveTimeoutMs: 5000,
    workers: 1,
    autoRollback: false,
    releasesKeep: 3,
    health: { eventLoopDelayWarnMs: 0, diskFreeWarnPercent: 0, memoryFreeWarnPercent: 0 },
    listen: { host: '127.0.0.1', port: 8000 }
  })
})

test('durations take fractions of a second', (t) => {
  t.is(readSettings({ IDLE_TIMEOUT: '0.25' }).idleTimeoutMs, 250)
  t.is(readSettings({ KEEP_ALIVE_TIMEOUT: '1.5' }).keepAliveTimeoutMs, 1500)
})

test('LISTEN takes an IPv4 or IPv6 address with a port, or an absolute path', (t) => {
  t.deepEqual(readSettings({ LISTEN: '[::1]:80' }).listen, { host: '::1', port: 80 })
  t.deepEqual(readSettings({ LISTEN: '0.0.0.0:0' }).listen, { host: '0.0.0.0', port: 0 })
  t.deepEqual(readSettings({ LISTEN: '/tmp/a.sock' }).listen, { path: '/tmp/a.sock' })
})

test('names that are no settings are left alone', (t) => {
  t.notThrows(() => readSettings({ PATH: '/usr/bin', IDLE_TIMEOUTS: 'x' }))
})

const bad: Record<string, string[]> = {
  LOG_LEVEL: ['', 'verbose', 'INFO', '-1', 'x'.repeat(10_000)],
  IDLE_TIMEOUT: ['', 'soon', '-1', 'NaN', 'Infinity', '1e3', '0x10', '90s', ' 90', '86401', '9'.repeat(400)],
  DRAIN_GRACE: ['', 'soon', '-0.5', '10.1', '.5', '5.'],
  SHUTDOWN_TIMEOUT: ['', 'soon', '-1', '0', '25.1', '10 '],
  KEEP_ALIVE_TIMEOUT: ['', 'soon', '-5', '0', '601'],
  WORKERS: ['', 'two', '-1', '0', '65', '1.5'],
  AUTO_ROLLBACK: ['', 'true', 'YES', '1'],
  RELEASES_KEEP: ['', 'all', '-3', '0', '101', '2.5'],
  EVENT_LOOP_DELAY_WARN: ['', 'soon', '-1', '61', '50ms'],
  DISK_FREE_WARN: ['', 'low', '-1', '101', '10%', '5.5'],
  MEMORY_FREE_WARN: ['', 'low', '-1', '101', '10%', '1G'],
  LISTEN: ['', '8000', 'localhost:8000', '127.0.0.1', '127.0.0.1:65536', '::1:80', '[127.0.0.1]:80', '127.0.0.1:-1', '/', 'a.sock', '/' + 'x'.repeat(108)]
}

for (const [name, values] of Object.entries(bad)) {
  for (const value of values) {
    test(`${name}=${JSON.stringify(value.slice(0, 40))} is refused with the name, the value and what is allowed`, (t) => {
      const problems = problemsOf({ [name]: value })
      t.true(problems.includes(`${name}=${JSON.stringify(value)}: expected `), problems)
    })
  }
}

test('all problems are told at once', (t) => {
  const problems = problemsOf({ LOG_LEVEL: 'loud', WORKERS: '0', LISTEN: 'nowhere' })
  for (const name of ['LOG_LEVEL', 'WORKERS', 'LISTEN']) t.true(problems.includes(name))
})

test('a grace longer than the whole drain is refused', (t) => {
  t.regex(problemsOf({ DRAIN_GRACE: '5', SHUTDOWN_TIMEOUT: '1' }), /DRAIN_GRACE: expected at most SHUTDOWN_TIMEOUT/)
})
