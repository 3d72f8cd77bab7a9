import type { ExecutionContext } from 'ava'
import type { Host } from './host.js'
import { servingRelease } from './pacman.js'

/** The units that roll back by themselves, one for each release to be undone. */
const rollbackUnits = "'fastapi-health-rollback@*.service'"

/** Appends lines to the settings. */
export async function addSettings(host: Host, ...lines: string[]): Promise<void> {
  await host.sh('cat >> /etc/fastAPI/fastAPI.env', { input: `${lines.join('\n')}\n` })
}

/** Waits until nothing rolls back any more, at most two minutes; the seconds that took. */
export async function rollbackEnded(host: Host): Promise<number> {
  const startedMs = performance.now()
  const busy = `systemctl list-units --legend=no --state=activating,active,reloading,deactivating ${rollbackUnits} | grep -q .`
  await host.sh(`for _ in {1..1200}; do ${busy} || exit 0; sleep 0.1; done; exit 1`, { timeoutMs: 150_000 })
  return (performance.now() - startedMs) / 1000
}

/** Holds all that is true of a host on which `release` is installed and serves. */
export async function serves(t: ExecutionContext, host: Host, release: string): Promise<void> {
  t.is(await servingRelease(host), release)
  t.is(await host.sh('pacman -Q fastapi-health'), `fastapi-health ${release}\n`)
  // Mode, owner, size and digest of each file; what an admin edited in a backup file is no alteration.
  t.regex(await host.sh('LC_ALL=C pacman -Qkk fastapi-health 2>&1'), /, 0 altered files\n$/)
  t.is((await host.run('test -e /var/lib/pacman/db.lck')).code, 1)
  t.is(await host.sh('systemctl --failed --legend=no'), '')
}

/** Lines of `fastapi-health releases history` without their times, newest last: `upgrade 1.0.0-1 1.1.0-1 healthy`. */
export async function history(host: Host): Promise<string[]> {
  const lines = (await host.sh('fastapi-health releases history')).trimEnd().split('\n')
  return lines.slice(1).map((line) => line.split(/ +/).slice(2, 6).join(' '))
}

/** The command, printed by pacman's output, that rolls back. */
export function printedCommand(output: string): string {
  return /^ +(pacman -U \S+)$/m.exec(output)?.[1] ?? `echo no command in the output; exit 1`
}
