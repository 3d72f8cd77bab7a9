import { writeSync } from 'node:fs'

/** Tells systemd of the service's state, by the assignments of sd_notify(3); `READY=1`, `STATUS=...`. */
export type Notify = (...assignments: string[]) => void

/**
 * Notifications over the datagram socket that OpenFile= opened. The way is systemd's own socket, but not in its
 * documented protocol, so it is best effort: a message that cannot be sent is dropped, the service goes on.
 */
export function createNotify(fd: number | undefined): Notify {
  if (fd === undefined) return () => {}
  return (...assignments) => {
    try {
      writeSync(fd, assignments.join('\n'))
    } catch {
      // Nobody listens any more: there is nobody to tell that to either.
    }
  }
}

/**
 * Sends WATCHDOG=1 twice in each interval that WatchdogSec= sets, sd_watchdog_enabled(3), for as long as the event
 * loop turns; where it hangs, systemd replaces the process. Does nothing where no watchdog is set.
 */
export function keepWatchdog(notify: Notify, env: NodeJS.ProcessEnv): void {
  const intervalMs = Number(env['WATCHDOG_USEC']) / 1000
  if (!(intervalMs > 0)) return
  setInterval(() => notify('WATCHDOG=1'), intervalMs / 2).unref()
}
