import { basename } from 'node:path'
import type { Host } from './host.js'
import { buildPackage, type PackageOptions } from './packages.js'

/** Builds a package and lays it down in the host, as an administrator would by scp; returns its path inside. */
export async function pushPackage(host: Host, options: PackageOptions = {}): Promise<string> {
  const built = await buildPackage(options)
  const path = `/root/${basename(built)}`
  await host.push(built, path)
  return path
}

/** `pacman -U` of packages that are already inside; returns everything it printed. */
export async function pacmanU(host: Host, ...paths: string[]): Promise<string> {
  return host.sh(`pacman -U --noconfirm ${paths.join(' ')} 2>&1`, { timeoutMs: 120_000 })
}

/** Asks the socket as an administrator would; the body, or whatever curl said. */
export async function curlHealth(host: Host, user = 'root'): Promise<string> {
  return (await host.run('curl -sS -m 30 --unix-socket /run/fastAPI/fastAPI.sock http://localhost/health 2>&1', { user })).stdout
}

/** The release that answers on the socket. */
export async function servingRelease(host: Host): Promise<string> {
  const document = await host.sh(
    "curl -sS -m 30 -H 'Accept: application/health+json' --unix-socket /run/fastAPI/fastAPI.sock http://localhost/health"
  )
  return (JSON.parse(document) as { releaseId: string }).releaseId
}
