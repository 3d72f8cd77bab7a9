import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

const neededPrograms = ['systemd-nspawn', 'mmdebstrap', 'nsenter']

function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Why hosts cannot be booted on this machine, or undefined where they can. Needs no ava: the test runner asks, too. */
export function hostUnavailable(): string | undefined {
  if (process.getuid?.() !== 0) return `hosts are booted by root, this is uid ${process.getuid?.()}`
  const missing = neededPrograms.filter((program) => !isInstalled(program))
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`
}
