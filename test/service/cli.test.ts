import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import test from 'ava'
import { activateService } from './service.js'

function run(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['build/bundle/index.js', ...args], (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}

test('--version prints the release, which is the version of package.json', async (t) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  t.is((await run('--version')).stdout, `${version}-0\n`)
})

test('--help prints the usage with status 0', async (t) => {
  const { status, stdout } = await run('--help')
  t.is(status, 0)
  t.regex(stdout, /^Usage: fastapi-health/)
})

for (const args of [[], ['start'], ['toString'], ['--frobnicate']]) {
  test(`${JSON.stringify(args)} is refused with status 64 and the usage`, async (t) => {
    const { status, stderr } = await run(...args)
    t.is(status, 64)
    t.regex(stderr, /expected one of serve, check[^]*Usage:/)
  })
}

test('check says OK with status 0 for a healthy socket', async (t) => {
  const service = await activateService(t)
  const { status, stdout } = await run('check', service.socketPath)
  t.is(status, 0)
  t.regex(stdout, /^OK: .*service\.sock is healthy \(\d+ ms\)\n$/)
})

test('check says UNAVAILABLE with status 69 where nothing answers', async (t) => {
  const { status, stderr } = await run('check', '/nonexistent.sock')
  t.is(status, 69)
  t.regex(stderr, /^UNAVAILABLE: \/nonexistent\.sock: /)
})

for (const args of [['--timeout', 'soon'], ['--timeout=-1'], ['--wait', '1e9'], ['ftp://x/'], ['relative'], ['/a', '/b'], ['--nothing']]) {
  test(`check ${args.join(' ')} is refused with status 64`, async (t) => {
    const { status, stderr } = await run('check', ...args)
    t.is(status, 64)
    t.regex(stderr, /^fastapi-health: check: /)
  })
}
