import type { Host } from '../host/host.js'
import { coldStarts } from './cold.js'
import { installedUnit, layPeers, originalSandbox } from './peers.js'
import { summarise } from './statistics.js'

/**
 * What a protection costs until the first answer, in ms of processor time and by the wall clock, on its own and at the
 * end of all others. The two differ where a start waits for the kernel, as for a network namespace.
 */
export interface DirectiveCost {
  directive: string
  alone: Cost
  last: Cost
  starts: number
}

export interface Cost {
  cpuMs: number
  wallMs: number
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
  const least = (name: string, clock: keyof Cost): number => summarise((starts[name] ?? []).map((start) => start[clock])).least
  const cost = (name: string, without: string): Cost => ({
    cpuMs: least(name, 'cpuMs') - least(without, 'cpuMs'),
    wallMs: least(name, 'wallMs') - least(without, 'wallMs')
  })
  const count = starts['all']?.length ?? 0
  return [
    { directive: 'all of them', alone: cost('all', 'none'), last: cost('all', 'none'), starts: count },
    { directive: "all of them, over the original's four", alone: cost('all', 'four'), last: cost('all', 'four'), starts: count },
    ...names
      .map((directive) => ({
        directive,
        alone: cost(`alone-${directive.toLowerCase()}`, 'none'),
        last: cost('all', `without-${directive.toLowerCase()}`),
        starts: count
      }))
      .sort((one, other) => other.last.wallMs - one.last.wallMs)
  ]
}

/** The protection that a line belongs to: some take several, which stand and fall together. */
function protectionOf(line: string): string {
  const name = line.replace(/=.*/, '')
  // One root: its mounts, what is left out of it, and TZ= for the /etc/localtime that it lacks.
  if (name === 'InaccessiblePaths' || name === 'Environment') return 'BindReadOnlyPaths'
  return name === 'SystemCallErrorNumber' ? 'SystemCallFilter' : name
}
