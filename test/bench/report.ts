import type { Start } from './in-host/cold.js'
import type { DirectiveCost } from './sandbox.js'
import { summarise } from './statistics.js'
import type { Throughput } from './throughput.js'

const number = (value: number, digits = 1): string => (Number.isFinite(value) ? value.toFixed(digits) : '–')

/** A Markdown table. */
export function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '--:'))), ...rows.map(line), ''].join('\n')
}

/** Cold starts, each peer against the first. */
export function coldTable(starts: Record<string, Start[]>): string {
  const base = Object.values(starts)[0] ?? []
  const [wall, cpu] = [summarise(base.map(({ wallMs }) => wallMs)).median, summarise(base.map(({ cpuMs }) => cpuMs)).median]
  return table(
    ['Cold start', 'runs', 'ms, median', 'quartiles', 'ratio', 'CPU ms, median', 'ratio'],
    Object.entries(starts).map(([name, sample]) => {
      const walls = summarise(sample.map(({ wallMs }) => wallMs))
      const cpus = summarise(sample.map(({ cpuMs }) => cpuMs))
      return [
        name,
        String(walls.count),
        number(walls.median),
        walls.quartiles.map((value) => number(value)).join(' to '),
        number(walls.median / wall, 2),
        number(cpus.median),
        number(cpus.median / cpu, 2)
      ]
    })
  )
}

export function throughputTable(what: string, rows: Record<string, Throughput>): string {
  const base = Object.values(rows)[0]?.perCpuSecond ?? Number.NaN
  return table(
    [what, 'per CPU second', 'ratio', 'per second', 'p99 ms', 'failed', 'processes', 'MB, largest'],
    Object.entries(rows).map(([name, row]) => [
      name,
      number(row.perCpuSecond, 0),
      number(row.perCpuSecond / base, 2),
      number(row.perSecond, 0),
      number(row.p99Ms),
      String(row.failed),
      String(row.processes),
      number(row.residentMb, 0)
    ])
  )
}

export function sandboxTable(costs: DirectiveCost[]): string {
  return table(
    ['Protection', 'alone, ms', 'CPU ms', 'last of all, ms', 'CPU ms', 'starts'],
    costs.map(({ directive, alone, last, starts }) => [
      directive,
      number(alone.wallMs),
      number(alone.cpuMs),
      number(last.wallMs),
      number(last.cpuMs),
      String(starts)
    ])
  )
}
