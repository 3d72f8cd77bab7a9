import { spawnSync } from 'node:child_process'
import { exitError, exitStatus } from '../exit.js'

/** A shell script: the way back from a broken bundle, or a broken node, needs neither. */
const script = '/usr/lib/fastapi-health/releases'

/**
 * `fastapi-health releases`: becomes the script that the package ships for it, with its output and its status.
 *
 * @throws exitError 69 where the script cannot be run: releases are what pacman installed.
 */
export function releases(args: string[]): void {
  const { status, error } = spawnSync(script, args, { stdio: 'inherit' })
  if (error !== undefined) throw exitError(exitStatus.unavailable, `releases: expected ${script} of the installed package: ${error.message}`)
  process.exitCode = status ?? exitStatus.failed
}
