import type { Host } from '../host/host.js'
import { coldStarts } from './cold.js'
import { installedUnit, layPeers, originalSandbox } from './peers.js'
import { summarise } from './statistics.js'

/** What a protection costs, in ms of processor time until the first answer, on its own and at the end of all others. */
export interface DirectiveCost {
  directive: string
  aloneMs: number
  lastMs: number
  starts: number
}

/**
 * The cost of each protection of the service's unit: the least of several starts with it alone against none, and of
 * all against all but it. The least, because whatever else the machine does can only add.
 */
export async function sandboxCosts(host: Host, rounds: number, budgetMs: number): Promise<DirectiveCost[]> {
  const { withoutSandbox, sandbox } = await installedUnit(host)
  const names = [...new Set(sandbox.map(protectionOf))]
  const lines = (wanted: (name: string) => boolean): string => sandbox.filter((line) => wanted(protectionOf(line))).join('\n')
  const unit = (protections: string): string => `${withoutSandbox}\n${protections}\n`
  const units: Record<string, string> = { none: unit(''), four: unit(originalSandbox.join('\n')), all: unit(lines(() => true)) }
  for (const name of names) {
    units[`alone-${name.toLowerCase()}`] = unit(lines((other) => other === name))
    units[`without-${name.toLowerCase()}`] = unit(lines((other) => other !== name))
  }
  const peers = Object.values(await layPeers(host, units))
  const starts = await coldStarts(host, peers, rounds, budgetMs)
  const least = (name: string): number => summarise((starts[name] ?? []).map(({ cpuMs }) => cpuMs)).least
  const row = (directive: string, aloneMs: number, lastMs: number): DirectiveCost => ({
    directive,
    aloneMs,
    lastMs,
    starts: starts['all']?.length ?? 0
  })
  return [
    row('all of them', least('all') - least('none'), least('all') - least('none')),
    row("the original's four", least('four') - least('none'), Number.NaN),
    ...names
      .map((name) => row(name, least(`alone-${name.toLowerCase()}`) - least('none'), least('all') - least(`without-${name.toLowerCase()}`)))
      .sort((one, other) => other.lastMs - one.lastMs)
  ]
}

/** The protection that a line belongs to: some take several, which stand and fall together. */
function protectionOf(line: string): string {
  const name = line.replace(/=.*/, '')
  if (name === 'ExecPaths') return 'NoExecPaths'
  return name === 'SystemCallErrorNumber' ? 'SystemCallFilter' : name
}
