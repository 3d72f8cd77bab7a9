import { join } from 'node:path'
import { quoted, type Host } from '../host/host.js'
import type { Peer } from './peers.js'

/** Milliseconds of each cold start of each peer, by its name; the peers take turns. */
export async function coldStarts(host: Host, peers: Peer[], rounds: number, budgetMs: number): Promise<Record<string, number[]>> {
  await host.push(join(__dirname, 'in-host/cold.js'), '/usr/lib/bench/cold.cjs')
  const order = JSON.stringify({ rounds, budgetMs, peers })
  return JSON.parse(await host.sh(`node /usr/lib/bench/cold.cjs ${quoted(order)}`, { timeoutMs: budgetMs + 60_000 })) as Record<string, number[]>
}
