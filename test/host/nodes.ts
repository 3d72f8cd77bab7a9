import { chmod, copyFile, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { hostCommand } from './command.js'
import type { Host } from './host.js'

export type NodeMajor = 18 | 20 | 22 | 24 | 26

const fetchTimeoutMs = 300_000

/** Path, outside, of the vendor's build of Node; fetched once. Throws if npm cannot fetch it within five minutes. */
export async function nodeBinary(major: NodeMajor): Promise<string> {
  return (await hostCommand(['node', String(major)], { timeoutMs: fetchTimeoutMs })).trimEnd()
}

/** Makes it the host's /usr/bin/node, behind pacman's back. */
export async function putNode(host: Host, major: NodeMajor): Promise<void> {
  await copyAsNode(await nodeBinary(major), join(host.root, 'usr/bin'))
}

/** Makes a package `nodejs` of that Node, for `pacman -U`; returns its path inside the host. */
export async function nodePackage(host: Host, major: NodeMajor, pkgrel = 1): Promise<string> {
  const binary = await nodeBinary(major)
  // Asking the binary would need its libraries outside, too.
  const { version } = JSON.parse(await readFile(join(dirname(dirname(binary)), 'package.json'), 'utf8')) as { version: string }
  const folder = `/root/node-${version}`
  await host.sh(`mkdir -p ${folder}/usr/bin`)
  await copyAsNode(binary, join(host.root, folder, 'usr/bin'))
  return (await host.sh(`provide-package nodejs ${version}-${pkgrel} /root --root ${folder} -- usr/bin/node && rm -rf ${folder}`)).trimEnd()
}

// Renamed into place: a running node keeps the file it was started from.
async function copyAsNode(binary: string, directory: string): Promise<void> {
  const fresh = join(directory, '.node-new')
  await copyFile(binary, fresh)
  await chmod(fresh, 0o755)
  await rename(fresh, join(directory, 'node'))
}
