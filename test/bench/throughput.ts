import { startLoad } from '../load/in-host.js'
import type { LoadOptions } from '../load/load.js'
import type { Host } from '../host/host.js'
import type { Peer } from './peers.js'

/** What a peer did under a load, and what it took. */
export interface Throughput {
  perCpuSecond: number
  perSecond: number
  p99Ms: number
  failed: number
  /** Of its largest process, when the load was over. */
  residentMb: number
  processes: number
}

/** Seconds of processor time that all processes of `service` have used. */
async function cpuSeconds(host: Host, service: string): Promise<number> {
  return Number(await host.sh(`sed -n 's/^usage_usec //p' /sys/fs/cgroup/system.slice/${service}/cpu.stat`)) / 1e6
}

async function residentMb(host: Host, service: string): Promise<number[]> {
  const list = await host.sh(
    `for pid in $(cat /sys/fs/cgroup/system.slice/${service}/cgroup.procs); do sed -n 's/^VmRSS:\\s*\\([0-9]*\\) kB/\\1/p' /proc/$pid/status; done`
  )
  return list.trim().split('\n').map((kilobytes) => Number(kilobytes) / 1000)
}

/** Loads `peer`, or what is in front of it at `target`, after a short load that is for warming up. */
export async function measureThroughput(
  host: Host,
  peer: Peer,
  load: Pick<LoadOptions, 'connections' | 'clients' | 'durationMs'> & { requests?: number },
  target: { socketPath: string } | { host: string; port: number } = { socketPath: peer.socketPath }
): Promise<Throughput> {
  await (await startLoad(host, { target, connections: load.connections, clients: 8, requests: 1_000_000, durationMs: 1000 })).report
  const before = await cpuSeconds(host, peer.service)
  const report = await (await startLoad(host, { target, requests: 1_000_000, ...load })).report
  const used = (await cpuSeconds(host, peer.service)) - before
  const resident = await residentMb(host, peer.service)
  return {
    perCpuSecond: report.answered / used,
    perSecond: report.perSecond,
    p99Ms: report.latencyMs.p99,
    failed: report.failed,
    residentMb: Math.max(...resident),
    processes: resident.length
  }
}
