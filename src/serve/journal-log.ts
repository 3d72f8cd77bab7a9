import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { pino } from 'pino'
import { stderrIsJournal, withPriority } from '../journal.js'

/** pino's levels as the priorities of syslog(3), which `journalctl -p` selects by. */
const priorities: Record<number, number> = { 10: 7, 20: 7, 30: 6, 40: 4, 50: 3, 60: 2 }

/**
 * A pino logger on standard error. Where that is the journal each line starts
 * with its priority in sd-daemon(3)'s `<N>` form, and time, process and host are left to the journal.
 */
export function createJournalLog(level: string, env: NodeJS.ProcessEnv): pino.Logger {
  const journal = stderrIsJournal(env)
  let unblocked: Socket | undefined
  const stream = {
    lastLevel: 30,
    // pino keeps lastLevel up to date on a stream that asks for it by this symbol.
    [Symbol.for('pino.metadata')]: true,
    write(line: string) {
      try {
        // Taking the descriptor over makes it non-blocking: a journal that hangs must not hang the service.
        if (journal) unblocked ??= new Socket({ fd: 2, readable: false, writable: true }).unref()
        const text = asciiOnly(line)
        writeSync(2, journal ? withPriority(priorities[this.lastLevel] ?? 6, text) : text)
      } catch {
        // EPIPE, EAGAIN: the journal is away or full. A lost line is better than a lost request.
      }
    }
  }
  return pino(
    {
      level,
      base: null,
      timestamp: journal ? false : pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) }
    },
    stream
  )
}

/** JSON escapes control characters only up to U+001F; a terminal obeys some of those that follow, too. */
function asciiOnly(json: string): string {
  return json.replace(/[\x7f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
