import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

// Runs inside a host, on nothing but Node's own modules: `node cold.js '{"rounds":30,"peers":[...]}'`. Prints, as JSON,
// each cold start of each peer: wall-clock milliseconds from connect() to the last byte of a complete 200, and those of
// processor time that its control group had used by then, which a busy machine blurs less.

interface Order {
  rounds: number
  /** The longest that all of it may take; it stops after the round in which that is over. */
  budgetMs: number
  peers: Array<{ name: string; service: string; socketPath: string; target?: string }>
}

export interface Start {
  wallMs: number
  cpuMs: number
}

const answerWithinMs = 20_000

async function main(): Promise<void> {
  const { rounds, budgetMs, peers } = JSON.parse(process.argv[2] ?? '') as Order
  const times = Object.fromEntries(peers.map(({ name }): [string, Start[]] => [name, []]))
  const endAt = Date.now() + budgetMs
  // The first round is for the page cache and V8's compile cache, and is not counted.
  for (let round = 0; round <= rounds && Date.now() < endAt; round++) {
    for (const { name, service, socketPath, target } of peers) {
      execFileSync('systemctl', ['--no-warn', '--quiet', 'stop', service], { stdio: 'ignore' })
      // What stopping has left to do is not charged to the start.
      await sleep(60)
      const wallMs = await firstAnswer(socketPath, target ?? '/health')
      const cpuMs = Number(/^usage_usec (\d+)$/m.exec(readFileSync(`/sys/fs/cgroup/system.slice/${service}/cpu.stat`, 'utf8'))?.[1]) / 1000
      if (round > 0) times[name]?.push({ wallMs, cpuMs })
    }
  }
  for (const { service } of peers) execFileSync('systemctl', ['--no-warn', '--quiet', 'stop', service], { stdio: 'ignore' })
  process.stdout.write(`${JSON.stringify(times)}\n`)
}

function firstAnswer(socketPath: string, target: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let received = ''
    const startedAt = process.hrtime.bigint()
    const socket = connect(socketPath)
    socket.setTimeout(answerWithinMs, () => socket.destroy(new Error(`no answer on ${socketPath} within ${answerWithinMs} ms`)))
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`expected a 200 with a body on ${socketPath}, got ${JSON.stringify(received)}`)))
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString()
      if (!/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n\{"status": ?"ok"\}$/.test(received)) return
      resolve(Number(process.hrtime.bigint() - startedAt) / 1e6)
      socket.destroy()
    })
    socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  })
}

void main()
