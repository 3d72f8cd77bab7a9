import { fstatSync } from 'node:fs'

/**
 * Whether standard error goes to the journal: JOURNAL_STREAM names its device and inode, systemd.exec(5). The
 * variable alone says too little: children inherit it even where their standard error goes elsewhere.
 */
export function stderrIsJournal(env: NodeJS.ProcessEnv): boolean {
  const stream = env['JOURNAL_STREAM']
  if (stream === undefined) return false
  try {
    const { dev, ino } = fstatSync(2)
    return stream === `${dev}:${ino}`
  } catch {
    return false
  }
}

/** Puts a priority of syslog(3) before each line of `text`, in the `<N>` form of sd-daemon(3). */
export function withPriority(priority: number, text: string): string {
  return text.replace(/^(?=.)/gm, `<${priority}>`)
}
