import { readFile, stat, statfs } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { release } from '../release.js'
import { installedCheck } from './installed.js'
import type { HealthLimits } from './settings.js'

/** How the service is, in the terms of draft-inadarei-api-health-check-06. */
export interface HealthDocument {
  status: Status
  version: string
  /** pkgver-pkgrel of the process that answers, which is not always what is installed. */
  releaseId: string
  serviceId: string
  checks: Record<string, Check[]>
}

type Status = 'pass' | 'warn' | 'fail'

/** One measurement or test, by the draft's `component:measurement` name in {@link HealthDocument.checks}. */
export interface Check {
  status: Status
  componentId?: string
  componentType?: 'system' | 'component' | 'datastore'
  observedValue?: string | number
  observedUnit?: string
  /** RFC 3339. */
  time?: string
  output?: string
}

/**
 * The root, and where packages, cache and journal are; one entry where they are one file system. Of the latter the
 * sandbox shows the service its own cache, CACHE_DIRECTORY of systemd.exec(5).
 */
const disks = () => ({ '/': '/', '/var': process.env['CACHE_DIRECTORY'] ?? '/var' })

/**
 * The health document as of now. Loaded by the first request that asks for it, and measured for each: nothing runs
 * between two of them.
 */
export async function healthDocument(limits: HealthLimits): Promise<HealthDocument> {
  const time = new Date().toISOString()
  const [delay, disks, memory, installed] = await Promise.all([
    eventLoopDelay(limits),
    freeDisk(limits),
    availableMemory(limits),
    installedCheck()
  ])
  const checks: Record<string, Check[]> = {
    uptime: [{ status: 'pass', componentType: 'system', observedValue: Math.round(process.uptime() * 1000) / 1000, observedUnit: 's', time }],
    'eventLoop:delay': [{ ...delay, time }],
    'memory:resident': [{ status: 'pass', componentType: 'system', observedValue: process.memoryUsage.rss(), observedUnit: 'B', time }],
    'memory:available': memory.map((check) => ({ ...check, time })),
    'disk:free': disks.map((check) => ({ ...check, time })),
    'release:installed': installed.map((check) => ({ ...check, time }))
  }
  for (const name of Object.keys(checks)) if (checks[name]?.length === 0) delete checks[name]
  return {
    status: worst(Object.values(checks).flat()),
    version: release.replace(/-[^-]*$/, ''),
    releaseId: release,
    serviceId: 'fastapi-health',
    checks
  }
}

function worst(checks: Check[]): Status {
  const statuses = checks.map(({ status }) => status)
  return statuses.includes('fail') ? 'fail' : statuses.includes('warn') ? 'warn' : 'pass'
}

/** How long one turn of the event loop takes now: what every other request waits, too. */
async function eventLoopDelay({ eventLoopDelayWarnMs }: HealthLimits): Promise<Check> {
  const startedAt = performance.now()
  await nextTurn()
  const delayMs = Math.round((performance.now() - startedAt) * 1000) / 1000
  const late = eventLoopDelayWarnMs > 0 && delayMs > eventLoopDelayWarnMs
  return {
    status: late ? 'warn' : 'pass',
    componentType: 'system',
    observedValue: delayMs,
    observedUnit: 'ms',
    ...(late && { output: `expected at most EVENT_LOOP_DELAY_WARN, ${eventLoopDelayWarnMs} ms` })
  }
}

async function freeDisk({ diskFreeWarnPercent }: HealthLimits): Promise<Check[]> {
  const checks: Check[] = []
  const devices = new Set<number>()
  for (const [name, path] of Object.entries(disks())) {
    try {
      const { dev } = await stat(path)
      if (devices.has(dev)) continue
      devices.add(dev)
      // bavail, not bfree: what is left for others than root.
      const { bavail, blocks, bsize } = await statfs(path)
      checks.push(amount(name, bavail * bsize, blocks * bsize, diskFreeWarnPercent, 'DISK_FREE_WARN'))
    } catch {
      // The sandbox hides it: nothing can be said of it.
    }
  }
  return checks
}

/**
 * Memory that could still be used, from proc_meminfo(5). os.freemem() will not do: where /proc/meminfo is hidden, as
 * ProcSubset=pid does, it is what is used for nothing at all, which on a busy host is next to nothing.
 */
async function availableMemory({ memoryFreeWarnPercent }: HealthLimits): Promise<Check[]> {
  const name = 'MEMORY_FREE_WARN'
  try {
    const meminfo = await readFile('/proc/meminfo', 'utf8')
    const bytes = (field: string) => Number(new RegExp(`^${field}: +(\\d+) kB$`, 'm').exec(meminfo)?.[1]) * 1024
    return [amount(undefined, bytes('MemAvailable'), bytes('MemTotal'), memoryFreeWarnPercent, name)]
  } catch {
    if (memoryFreeWarnPercent === 0) return []
    const output = `${name} is set, but the sandbox hides /proc/meminfo; a drop-in with ProcSubset=all shows it`
    return [{ status: 'warn', componentType: 'system', output }]
  }
}

function amount(componentId: string | undefined, free: number, total: number, warnPercent: number, setting: string): Check {
  const percent = Math.round((free / total) * 1000) / 10
  const low = percent < warnPercent
  return {
    status: low ? 'warn' : 'pass',
    ...(componentId !== undefined && { componentId }),
    componentType: 'system',
    observedValue: free,
    observedUnit: 'B',
    ...(low && { output: `${percent} % of ${total} B is free, expected at least ${setting}, ${warnPercent} %` })
  }
}
