import type { pino } from 'pino'

/** What the rest of the service needs of a logger. */
export type Log = Record<Level, (entry: object, message: string) => void> & {
  /** Whether anything is logged at debug: each request asks before it puts a line together. */
  debugs: boolean
}

type Level = 'debug' | 'info' | 'warn' | 'error' | 'fatal'

/** Least first, as in pino; `trace` is a level to set, nothing is logged at it. */
const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const

/**
 * A logger on standard error, for the lines of `level` and above; `silent` is above all.
 *
 * pino is loaded by the first line that is logged. At `info` successful requests log none, so that neither a start
 * nor a request pays for it.
 */
export function createLog(level: string, env: NodeJS.ProcessEnv): Log {
  let logger: pino.Logger | undefined
  const load = (): pino.Logger =>
    (logger ??= (require('./journal-log.js') as typeof import('./journal-log.js')).createJournalLog(level, env))
  const least = level === 'silent' ? levels.length : levels.indexOf(level as (typeof levels)[number])
  const at = (name: Level): Log[Level] =>
    levels.indexOf(name) < least ? () => {} : (entry, message) => load()[name](entry, message)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), fatal: at('fatal'), debugs: least <= levels.indexOf('debug') }
}
