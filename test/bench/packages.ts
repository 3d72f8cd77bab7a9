import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { checkout } from '../host/command.js'

const folder = join(checkout, 'test/bench/packages')

/** Fetches, once, what the benchmark alone needs into the cache of the test host; returns the folder it is in. */
export function benchPackages(): string {
  const cache = process.env['HOST_CACHE'] ?? '/var/cache/fastapi-health-host'
  const key = createHash('sha256').update(readFileSync(join(folder, 'package-lock.json'))).digest('hex').slice(0, 16)
  const kept = join(cache, 'bench', key)
  if (!existsSync(kept)) {
    const fresh = `${kept}.new-${process.pid}`
    mkdirSync(fresh, { recursive: true })
    for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(folder, file), join(fresh, file))
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: fresh, stdio: 'pipe' })
    if (existsSync(kept)) rmSync(fresh, { recursive: true })
    else renameSync(fresh, kept)
  }
  copyFileSync(join(folder, 'fastify.js'), join(kept, 'fastify.js'))
  return kept
}

/** The Fastify peer as one file, as ours is. */
export async function fastifyBundle(): Promise<string> {
  const ncc = require('@vercel/ncc') as (entry: string, options: object) => Promise<{ code: string }>
  return (await ncc(join(benchPackages(), 'fastify.js'), { cache: false, quiet: true })).code
}
