import { readFile } from 'node:fs/promises'
import { release } from '../release.js'
import type { Check } from './health.js'

/** Holds `pkgver-pkgrel` of the package that it belongs to. */
const installedFile = '/usr/lib/fastapi-health/release'

/**
 * Whether the release that runs is the one that is installed: a service that nobody restarted, or whose new release
 * failed its trial, is a `warn`. The observed value is the installed release. No check at all where none is installed,
 * or where no package was built (a pkgrel of 0).
 */
export async function installedCheck(running = release, file = installedFile): Promise<Check[]> {
  if (running.endsWith('-0')) return []
  const installed = (await readFile(file, 'utf8').catch(() => '')).trim()
  if (installed === '') return []
  const componentType = 'component'
  if (installed === running) return [{ status: 'pass', componentType, observedValue: installed }]
  const output =
    `expected the installed release ${installed}, got ${running}; ` +
    'whether it serves: fastapi-health releases list; to change over: systemctl restart fastAPI-unix.service'
  return [{ status: 'warn', componentType, observedValue: installed, output }]
}
