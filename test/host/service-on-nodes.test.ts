import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { checkout } from './command.js'
import { nodeBinary, type NodeMajor } from './nodes.js'

const majors: NodeMajor[] = [20, 22, 24, 26]
const folder = join(checkout, 'build/js/test/service')

/** All of the service's tests in the long form; in the short one those of starting and leaving. */
const files = process.env['PROOF'] === 'full' ? readdirSync(folder).filter((name) => name.endsWith('.test.js')) : ['start.test.js', 'drain.test.js', 'loaded.test.js']

interface Run {
  status: number | null
  output: string
}

function runAva(node: string): Promise<Run> {
  // The tests themselves run on the node of this run: ava is choosier than the service. In the short form even the
  // long tests are short.
  const { PROOF: _, ...inherited } = process.env
  const ava = require.resolve('ava').replace(/entrypoints.*/, 'entrypoints/cli.mjs')
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [ava, ...files.map((name) => join(folder, name))], {
      cwd: checkout,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...inherited, SERVICE_NODE: node, FORCE_COLOR: '0' }
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, output }))
  })
}

for (const major of majors) {
  test.serial(`the service's own tests pass on Node ${major}`, async (t) => {
    t.timeout(600_000)
    const { status, output } = await runAva(await nodeBinary(major))
    t.is(status, 0, output)
    t.log(`Node ${major}: ${files.length} files, ${/\d+ tests? passed/.exec(output)?.[0]}`)
  })
}
