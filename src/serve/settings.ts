import { isIP } from 'node:net'
import { exitError, exitStatus } from '../exit.js'

/** What the service is set to; durations in milliseconds, everything already checked. */
export interface Settings {
  logLevel: string
  /** 0: never. */
  idleTimeoutMs: number
  drainGraceMs: number
  shutdownTimeoutMs: number
  keepAliveTimeoutMs: number
  workers: number
  autoRollback: boolean
  releasesKeep: number
  health: HealthLimits
  listen: ListenAddress
}

/** When the health document warns; 0: never. */
export interface HealthLimits {
  eventLoopDelayWarnMs: number
  diskFreeWarnPercent: number
  memoryFreeWarnPercent: number
}

/** Where the development listener listens: a TCP address, or the path of a Unix socket. */
export type ListenAddress = { host: string; port: number } | { path: string }

/** A parser returns the value, or `undefined` where the text is not allowed. */
interface Setting<T> {
  default: string
  allowed: string
  parse: (text: string) => T | undefined
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

/** Every setting, as /etc/fastAPI/fastAPI.env names it. Names, meanings and ranges are API. */
export const settingsTable = {
  LOG_LEVEL: {
    default: 'info',
    allowed: `one of ${logLevels.join(', ')}`,
    parse: (text: string) => (logLevels.includes(text) ? text : undefined)
  },
  IDLE_TIMEOUT: seconds('90', 0, 86_400),
  DRAIN_GRACE: seconds('0.5', 0, 10),
  // The upper end stays below TimeoutStopSec= of fastAPI-unix.service: past it systemd kills what is still open.
  SHUTDOWN_TIMEOUT: seconds('10', 0.1, 25),
  KEEP_ALIVE_TIMEOUT: seconds('5', 0.1, 600),
  WORKERS: whole('1', 1, 64),
  AUTO_ROLLBACK: {
    default: 'no',
    allowed: 'yes or no',
    parse: (text: string) => (text === 'yes' ? true : text === 'no' ? false : undefined)
  },
  RELEASES_KEEP: whole('3', 1, 100),
  EVENT_LOOP_DELAY_WARN: seconds('0', 0, 60),
  DISK_FREE_WARN: whole('0', 0, 100),
  MEMORY_FREE_WARN: whole('0', 0, 100),
  LISTEN: {
    default: '127.0.0.1:8000',
    allowed: 'host:port with an IP address and a port of 0 to 65535 (127.0.0.1:8000, [::1]:8000), or an absolute path',
    parse: listenAddress
  }
} satisfies Record<string, Setting<unknown>>

/**
 * Reads the settings from environment variables; a name that is not a setting is left alone.
 *
 * @throws exitError 78 (EX_CONFIG) that names every bad setting, its value and what is allowed.
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const problems: string[] = []

  function read<T>(name: string, setting: Setting<T>): T {
    const text = env[name] ?? setting.default
    const value = setting.parse(text)
    if (value === undefined) problems.push(`  ${name}=${JSON.stringify(text)}: expected ${setting.allowed}`)
    return value as T
  }

  const settings: Settings = {
    logLevel: read('LOG_LEVEL', settingsTable.LOG_LEVEL),
    idleTimeoutMs: read('IDLE_TIMEOUT', settingsTable.IDLE_TIMEOUT),
    drainGraceMs: read('DRAIN_GRACE', settingsTable.DRAIN_GRACE),
    shutdownTimeoutMs: read('SHUTDOWN_TIMEOUT', settingsTable.SHUTDOWN_TIMEOUT),
    keepAliveTimeoutMs: read('KEEP_ALIVE_TIMEOUT', settingsTable.KEEP_ALIVE_TIMEOUT),
    workers: read('WORKERS', settingsTable.WORKERS),
    autoRollback: read('AUTO_ROLLBACK', settingsTable.AUTO_ROLLBACK),
    releasesKeep: read('RELEASES_KEEP', settingsTable.RELEASES_KEEP),
    health: {
      eventLoopDelayWarnMs: read('EVENT_LOOP_DELAY_WARN', settingsTable.EVENT_LOOP_DELAY_WARN),
      diskFreeWarnPercent: read('DISK_FREE_WARN', settingsTable.DISK_FREE_WARN),
      memoryFreeWarnPercent: read('MEMORY_FREE_WARN', settingsTable.MEMORY_FREE_WARN)
    },
    listen: read('LISTEN', settingsTable.LISTEN)
  }
  if (settings.drainGraceMs > settings.shutdownTimeoutMs) {
    problems.push('  DRAIN_GRACE: expected at most SHUTDOWN_TIMEOUT, which cuts every drain short')
  }
  if (problems.length > 0) {
    throw exitError(
      exitStatus.config,
      `bad settings, nothing was started:\n${problems.join('\n')}\nMend them in /etc/fastAPI/fastAPI.env; clients that wait are answered then.`
    )
  }
  return settings
}

/** A duration in seconds, with a fraction or without, from `least` to `most`; the value is in milliseconds. */
function seconds(byDefault: string, least: number, most: number): Setting<number> {
  return {
    default: byDefault,
    allowed: `seconds from ${least} to ${most}, such as ${byDefault}, without a unit`,
    parse: (text) => {
      if (!/^\d{1,9}(\.\d{1,9})?$/.test(text)) return undefined
      const value = Number(text)
      return value >= least && value <= most ? Math.round(value * 1000) : undefined
    }
  }
}

function whole(byDefault: string, least: number, most: number): Setting<number> {
  return {
    default: byDefault,
    allowed: `a whole number from ${least} to ${most}`,
    parse: (text) => {
      if (!/^\d{1,9}$/.test(text)) return undefined
      const value = Number(text)
      return value >= least && value <= most ? value : undefined
    }
  }
}

function listenAddress(text: string): ListenAddress | undefined {
  // sun_path holds 108 bytes with its closing NUL, unix(7).
  if (text.startsWith('/')) return text.length > 1 && Buffer.byteLength(text) < 108 ? { path: text } : undefined
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text)
  if (match === null) return undefined
  const host = match[1] ?? match[2] ?? ''
  const port = Number(match[3])
  const family = match[1] === undefined ? 4 : 6
  return isIP(host) === family && port <= 65_535 ? { host, port } : undefined
}
