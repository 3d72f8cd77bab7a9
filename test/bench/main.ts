import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { checkout } from '../host/command.js'
import { bootHost, type Host } from '../host/host.js'
import { putNode, type NodeMajor } from '../host/nodes.js'
import { pacmanU, pushPackage } from '../host/pacman.js'
import { startLoad } from '../load/in-host.js'
import { coldStarts } from './cold.js'
import { fastifyBundle } from './packages.js'
import { installedUnit, layCompared, layPeers, type Peer } from './peers.js'
import { barPicture } from './pictures.js'
import { coldTable, sandboxTable, table, throughputTable } from './report.js'
import { sandboxCosts } from './sandbox.js'
import { summarise } from './statistics.js'
import { measureThroughput, type Throughput } from './throughput.js'

// npm run bench [-- --quick]: measures ours and its peers in one run on a booted host and writes test/bench/results.md
// and the pictures beside it; --quick takes a small sample and writes build/bench-quick.md alone.

const quick = process.argv.includes('--quick')
const measuredNode: NodeMajor = 24
const debiansNode = '/usr/bin/node-of-debian'
const loadMs = quick ? 1500 : 4000
const sections: string[] = []
const started = Date.now()
const folder = join(checkout, 'test/bench')

/** Adds a section; what goes wrong in one is written into it and leaves the others alone. */
async function section(title: string, make: () => Promise<string>): Promise<void> {
  const from = Date.now()
  let text: string
  try {
    text = await make()
  } catch (error) {
    text = `Not measured: ${error instanceof Error ? error.message : String(error)}\n`
    process.exitCode = 1
  }
  sections.push(`## ${title}\n\n${text}`)
  console.log(`${sections.at(-1)}(${Math.round((Date.now() - from) / 1000)} s)\n`)
}

function picture(name: string, svg: string): void {
  if (!quick) writeFileSync(join(folder, `${name}.svg`), svg)
}

async function throughputs(host: Host, peers: Record<string, Peer>, connections: 'new' | 'kept', clients = 16): Promise<Record<string, Throughput>> {
  const rows: Record<string, Throughput> = {}
  for (const [name, peer] of Object.entries(peers)) rows[name] = await measureThroughput(host, peer, { connections, clients, durationMs: loadMs })
  return rows
}

async function main(): Promise<void> {
  const host = await bootHost({ bench: true })
  try {
    const path = await pushPackage(host)
    await pacmanU(host, path)
    // Debian's build of Node reads parts of itself from files at each start, which Arch's and its vendor's carry inside.
    await host.sh(`cp /usr/bin/node ${debiansNode}`)
    await putNode(host, measuredNode)
    const fastify = await fastifyBundle()
    const peers = await layCompared(host, fastify)
    const { unit } = await installedUnit(host)
    const names = {
      floor: 'bare node:http, same unit',
      ours: 'fastapi-health',
      oursFourProtections: "fastapi-health, 4 protections",
      fastify: 'Fastify, same unit',
      uvicorn: 'FastAPI, 1 uvicorn',
      gunicorn: 'FastAPI, gunicorn, 2 uvicorn workers'
    }
    const order = Object.keys(names) as Array<keyof typeof names>
    const named = (keys: Array<keyof typeof names>): Record<string, Peer> => Object.fromEntries(keys.map((key) => [names[key], { ...peers[key], name: names[key] }]))

    await section('Cold start: from connect() to a complete 200', async () => {
      const compared = Object.values(named(order))
      // A query makes it a request that is no probe, with the same answer.
      compared.splice(2, 0, { ...peers.ours, name: 'fastapi-health, by way of Koa', target: '/health?' })
      const starts = await coldStarts(host, compared, quick ? 4 : 30, quick ? 30_000 : 200_000)
      const bars = Object.entries(starts).map(([name, sample]) => {
        const { median, quartiles } = summarise(sample.map(({ wallMs }) => wallMs))
        return { name, value: median, quartiles }
      })
      picture('cold-start', barPicture('Cold start: connect() to complete 200', 'ms, median and quartiles', bars))
      return coldTable(starts)
    })

    const loaded = named(['floor', 'ours', 'fastify', 'uvicorn', 'gunicorn'])
    for (const [connections, title] of [['kept', 'keep-alive'], ['new', 'a connection for each request']] as const) {
      await section(`Throughput, ${title}: 16 clients`, async () => {
        const rows = await throughputs(host, loaded, connections)
        const bars = Object.entries(rows).map(([name, { perCpuSecond }]) => ({ name, value: perCpuSecond }))
        picture(`throughput-${connections}`, barPicture(`Requests per CPU second, ${title}`, 'requests per second of processor time', bars))
        return throughputTable('Peer', rows)
      })
    }

    await section('Memory after 100,000 requests', () => memory(host, unit))
    if (!quick) await growth(host, peers.ours, unit)
    if (!quick) await throughNginx(host, named(['floor', 'ours', 'gunicorn']))
    if (!quick) await upgrade(host, path)

    if (!quick) {
      await section('What each protection costs', async () => {
        const costs = await sandboxCosts(host, 5, 150_000)
        const bars = costs.slice(0, 18).map(({ directive, alone }) => ({ name: directive, value: alone.wallMs }))
        picture('sandbox-cost', barPicture('What a protection costs on its own', 'ms', bars))
        return sandboxTable(costs)
      })
    }

    if (!quick) await coldStartsByNode(host, Object.values(named(['floor', 'ours', 'oursFourProtections', 'gunicorn'])))
    if (!quick) await afterBoot(host, fastify, { [names.ours]: peers.ours, [names.gunicorn]: peers.gunicorn })
    await section('What the file is made of', async () => readFileSync(join(checkout, 'build/bundle/sizes.md'), 'utf8'))
  } finally {
    await host.stop()
  }
  const versions = `Node ${measuredNode} as its vendor builds it, where no other is named; ${cpus().length} processors; ${new Date().toISOString().slice(0, 10)}; ${Math.round((Date.now() - started) / 1000)} s.`
  const text = `# Benchmark\n\nOne run of \`npm run bench${quick ? ' -- --quick' : ''}\`; peers take turns. ${versions} Trust the ratios, not the milliseconds.\n\n${sections.join('\n')}`
  writeFileSync(quick ? join(checkout, 'build/bench-quick.md') : join(folder, 'results.md'), text)
}

/** Ends with the Node that all else is measured on. */
async function coldStartsByNode(host: Host, peers: Peer[]): Promise<void> {
  for (const build of ["Debian's", 20, 22, 26] as const) {
    if (build === "Debian's") await host.sh(`cp ${debiansNode} /usr/bin/.node && mv /usr/bin/.node /usr/bin/node`)
    else await putNode(host, build)
    const node = `Node ${(await host.sh('node --version')).trim()}`
    await section(`Cold start on ${build === "Debian's" ? `Debian's build of ${node}` : node}`, async () =>
      coldTable(await coldStarts(host, peers, 30, 120_000))
    )
  }
  await putNode(host, measuredNode)
}

async function growth(host: Host, ours: Peer, unit: string): Promise<void> {
  await section('How cost grows with open connections', async () => {
    const rows: Record<string, Throughput> = {}
    for (const clients of [1, 10, 100, 1000]) {
      rows[String(clients)] = await measureThroughput(host, ours, { connections: 'kept', clients, durationMs: loadMs })
    }
    return throughputTable('Connections', rows)
  })
  await section('How cost grows with WORKERS: 100 connections', async () => {
    const rows: Record<string, Throughput> = {}
    for (const count of [1, 2, 4]) {
      const name = `workers-${count}`
      const peer = (await layPeers(host, { [name]: unit.replace('[Service]', `[Service]\nEnvironment=WORKERS=${count}`) }))[name]
      if (peer === undefined) continue
      rows[String(count)] = await measureThroughput(host, peer, { connections: 'kept', clients: 100, durationMs: loadMs })
      await host.sh(`systemctl stop ${peer.service}`)
    }
    return throughputTable('WORKERS', rows)
  })
}

async function throughNginx(host: Host, peers: Record<string, Peer>): Promise<void> {
  await section('Through nginx, for information: 16 clients, keep-alive to nginx', async () => {
    const targets = Object.values(peers).map((peer, index) => ({ peer, port: 18_990 + index }))
    const servers = targets.map(({ peer, port }) => `server { listen 127.0.0.1:${port}; location / { proxy_pass http://unix:${peer.socketPath}; } }`)
    const top = 'user http; pid /run/bench-nginx.pid; events {}'
    await host.write('/run/bench-nginx.conf', `${top} http { access_log off; ${servers.join(' ')} }\n`)
    // A daemon that kept the pipes of this command would keep it from ending.
    await host.sh('nginx -c /run/bench-nginx.conf </dev/null >/dev/null 2>&1')
    const rows: Record<string, Throughput> = {}
    for (const [index, name] of Object.keys(peers).entries()) {
      const { peer, port } = targets[index] as (typeof targets)[number]
      rows[name] = await measureThroughput(host, peer, { connections: 'kept', clients: 16, durationMs: loadMs }, { host: '127.0.0.1', port })
    }
    await host.sh('kill $(cat /run/bench-nginx.pid)')
    return throughputTable('Peer behind nginx', rows)
  })
}

/** Each kind of client meets a process of its own, which is gone a second after the last request. */
async function memory(host: Host, unit: string): Promise<string> {
  const node = (await host.sh('node --version')).trim()
  const rows: string[][] = []
  for (const connections of ['kept', 'new'] as const) {
    const name = `memory-${connections}`
    const peer = (await layPeers(host, { [name]: unit.replace('[Service]', '[Service]\nEnvironment=IDLE_TIMEOUT=3') }))[name] as Peer
    const load = { connections, clients: 50, requests: quick ? 10_000 : 100_000, durationMs: 60_000 }
    const { answered, failed } = await (await startLoad(host, { target: { socketPath: peer.socketPath }, ...load })).report
    const pid = (await host.sh(`systemctl show -P MainPID ${peer.service}`)).trim()
    const status = await host.sh(`cat /proc/${pid}/status`)
    const field = (key: string): string => new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? ''
    await host.sh(`for i in $(seq 100); do systemctl is-active -q ${peer.service} || break; sleep 0.1; done`)
    const left = (await host.run(`cat /sys/fs/cgroup/system.slice/${peer.service}/cgroup.procs`)).stdout.trim()
    const processes = left === '' ? 0 : left.split('\n').length
    rows.push([node, connections, String(answered), String(failed), field('VmRSS'), field('VmHWM'), String(processes)])
  }
  return table(['Node', 'connections', 'answered', 'failed', 'resident', 'at its highest', 'processes when idle'], rows)
}

async function upgrade(host: Host, path: string): Promise<void> {
  await section('The longest wait of a client across an upgrade', async () => {
    const next = await pushPackage(host, { pkgrel: 2 })
    const rows: string[][] = []
    for (const package_ of [next, path]) {
      const load = await startLoad(host, { target: { socketPath: '/run/fastAPI/fastAPI.sock' }, connections: 'new', clients: 4, thinkMs: 5, requests: 100_000, durationMs: 60_000 })
      await pacmanU(host, package_)
      const { answered, failed, latencyMs } = await load.stop()
      rows.push([package_ === next ? 'upgrade' : 'downgrade', String(answered), String(failed), latencyMs.p50.toFixed(1), latencyMs.max.toFixed(1)])
    }
    return table(['Transaction', 'answered', 'failed', 'median ms', 'longest ms'], rows)
  })
}

async function afterBoot(host: Host, fastify: string, peers: Record<string, Peer>): Promise<void> {
  await section('First start after a boot, page cache dropped', async () => {
    const rows: Record<string, number[]> = {}
    for (let boot = 0; boot < 3; boot++) {
      for (const [name, peer] of Object.entries(peers)) {
        await host.reboot()
        // Units below /run are gone with the boot.
        await layCompared(host, fastify)
        writeFileSync('/proc/sys/vm/drop_caches', '3')
        await host.sh('curl --version')
        const curl = `curl -sS -o /dev/null -w '%{time_total}' -m 30 --unix-socket ${peer.socketPath} http://localhost/health`
        ;(rows[name] ??= []).push(Number(await host.sh(curl)) * 1000)
      }
    }
    return table(
      ['Peer', 'boots', 'ms, median', 'most'],
      Object.entries(rows).map(([name, sample]) => {
        const { count, median, most } = summarise(sample)
        return [name, String(count), median.toFixed(0), most.toFixed(0)]
      })
    )
  })
}

void main()
