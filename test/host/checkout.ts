import { execFile } from 'node:child_process'
import { cp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { checkout, hostCommand } from './command.js'
import type { Host } from './host.js'

const execute = promisify(execFile)

/** Where packages are built in a host: a package records its path, so two builds are alike only in the same one. */
export const builderCheckout = '/home/builder/fastapi-health'

/** Environment, as words of a shell, in which npm is content with the cache that {@link cloneIntoHost} leaves. */
export async function offlineNpm(): Promise<string> {
  // The cache is keyed by the registry's name, so npm has to be told the one that filled it.
  const { stdout } = await execute('npm', ['config', 'get', 'registry'], { cwd: checkout })
  return `npm_config_offline=true npm_config_update_notifier=false npm_config_registry=${stdout.trim()}`
}

/** Paths of the checkout's files, relative to it: tracked ones, and new ones that are not ignored. */
export async function checkoutFiles(): Promise<string[]> {
  const options = { cwd: checkout, maxBuffer: 64 * 1024 * 1024 }
  const { stdout } = await execute('git', ['-c', 'safe.directory=*', 'ls-files', '-coz', '--exclude-standard', '--deduplicate'], options)
  return stdout.split('\0').filter((path) => path !== '')
}

/**
 * Lays the checkout down in a host as its user `builder` would clone it, with a filled npm cache in place of a
 * registry. Throws if it takes longer than five minutes, of which filling the cache takes most.
 */
export async function cloneIntoHost(host: Host): Promise<void> {
  const inside = join(host.root, builderCheckout)
  for (const path of await checkoutFiles()) await cp(join(checkout, path), join(inside, path), { preserveTimestamps: true })
  const npmCache = (await hostCommand(['npm-cache'], { timeoutMs: 300_000 })).trimEnd()
  const npmInside = join(host.root, '/home/builder/.npm')
  await rm(npmInside, { recursive: true, force: true })
  for (const name of await readdir(npmCache)) await cp(join(npmCache, name), join(npmInside, name), { recursive: true })
  await host.sh(`chown -R builder:builder /home/builder`)
  await host.sh(`cd ${builderCheckout} && git init -q && git add -A && git -c user.name=b -c user.email=b@localhost commit -qm checkout`, {
    user: 'builder'
  })
}
