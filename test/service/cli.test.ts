import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import test from 'ava'
import { node } from './service.js'

function run(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(node, ['build/bundle/index.js', ...args], (error, stdout, stderr) => {
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
