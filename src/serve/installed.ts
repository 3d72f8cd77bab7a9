import { access, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { release } from '../release.js'
import type { Check } from './health.js'

/** Where pacman has a folder `pkgname-pkgver-pkgrel` for each installed package, which everyone may read. */
const database = '/var/lib/pacman/local'
const prefix = 'fastapi-health-'

/**
 * Whether the release that runs is the one that is installed: a service that nobody restarted, or whose new release
 * failed its trial, is a `warn`. The observed value is the installed release. No check at all where pacman knows of none,
 * or where no package was built (a pkgrel of 0).
 */
export async function installedCheck(running = release, directory = database): Promise<Check[]> {
  if (running.endsWith('-0')) return []
  const componentType = 'component'
  try {
    await access(join(directory, `${prefix}${running}`))
    return [{ status: 'pass', componentType, observedValue: running }]
  } catch {
    const installed = (await readdir(directory).catch(() => []))
      .map((name) => new RegExp(`^${prefix}([^-]+-[^-]+)$`).exec(name)?.[1])
      .find((found) => found !== undefined)
    if (installed === undefined) return []
    const output =
      `expected the installed release ${installed}, got ${running}; ` +
      'whether it serves: fastapi-health releases list; to change over: systemctl restart fastAPI-unix.service'
    return [{ status: 'warn', componentType, observedValue: installed, output }]
  }
}
