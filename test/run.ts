import { spawn } from 'node:child_process'
import { hostUnavailable } from './host/available.js'

// Runs every test and closes with one line that counts them. Tests that could not run are no success where they
// were meant to run: CI=true makes them a failure.

const counted = { passed: 0, failed: 0, skipped: 0 }

function count(output: string): void {
  // ava's closing lines: "1 test failed", "2 uncaught exceptions", "3 tests skipped" ...
  const read = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? 0)
  // Where one fails ava does not say how many passed.
  counted.passed = output.match(/^\s*✔ /gm)?.length ?? 0
  counted.failed = read(/^\s*(\d+) tests? failed/m)
  counted.skipped = read(/^\s*(\d+) tests? skipped/m)
}

function runAva(args: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [require.resolve('ava').replace(/entrypoints.*/, 'entrypoints/cli.mjs'), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, FORCE_COLOR: '0' }
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      process.stdout.write(chunk)
    })
    child.on('error', reject)
    child.on('close', (code) => {
      count(output)
      resolve(code ?? 1)
    })
  })
}

async function main(): Promise<void> {
  let status = await runAva(process.argv.slice(2))
  const reason = hostUnavailable()
  if (counted.skipped > 0) {
    console.log(`${counted.skipped} tests were left out: ${reason ?? 'they are marked as skipped'}`)
    if (process.env['CI'] === 'true') status ||= 1
  }
  if (counted.passed === 0) status ||= 1
  console.log(`${counted.passed} passed, ${counted.failed} failed, ${counted.skipped} skipped`)
  process.exitCode = status
}

void main()
