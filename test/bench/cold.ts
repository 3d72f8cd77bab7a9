import { join } from 'node:path'
import { quoted, type Host } from '../host/host.js'
import type { Start } from './in-host/cold.js'
import type { Peer } from './peers.js'

/** Each cold start of each peer, by its name; the peers take turns. Stops after the round in which `budgetMs` is over. */
export async function coldStarts(host: Host, peers: Peer[], rounds: number, budgetMs: number): Promise<Record<string, Start[]>> {
  await host.push(join(__dirname, 'in-host/cold.js'), '/usr/lib/bench/cold.cjs')
  const order = JSON.stringify({ rounds, budgetMs, peers })
  return JSON.parse(await host.sh(`node /usr/lib/bench/cold.cjs ${quoted(order)}`, { timeoutMs: budgetMs + 60_000 })) as Record<string, Start[]>
}
