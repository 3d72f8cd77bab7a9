import { bootHost } from '../host/host.js'
import { pacmanU, pushPackage } from '../host/pacman.js'
import { coldStarts } from './cold.js'
import { layPeers } from './peers.js'
import { summarise } from './statistics.js'

async function main(): Promise<void> {
  const quick = process.argv.includes('--quick')
  const host = await bootHost({ bench: true })
  try {
    await pacmanU(host, await pushPackage(host))
    const peers = await layPeers(host)
    const times = await coldStarts(host, Object.values(peers), quick ? 5 : 30, 180_000)
    for (const [name, sample] of Object.entries(times)) console.log(name, summarise(sample))
  } finally {
    await host.stop()
  }
}

void main()
