import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkout } from '../host/command.js'
import type { Host } from '../host/host.js'

/** Something that answers GET /health behind a socket of its own in the host. */
export interface Peer {
  name: string
  service: string
  socketPath: string
  /** What a cold start asks for, where that is not /health. */
  target?: string
}

/** The four protections of the deployment that this replaces. */
export const originalSandbox = ['NoNewPrivileges=yes', 'PrivateTmp=yes', 'ProtectSystem=strict', 'ProtectHome=read-only']

const app = `from fastapi import FastAPI

app = FastAPI()


@app.get("/health")
async def health():
    return {"status": "ok"}
`

const pythonUnit = (command: string): string => `[Unit]
Description=A peer of the benchmark
# systemd's default, 5 starts in 10 s, would fail its socket in the middle of the cold starts.
StartLimitIntervalSec=0
[Service]
Type=simple
User=fastapi
Group=fastapi
WorkingDirectory=/opt/bench
Environment=PYTHONDONTWRITEBYTECODE=1
# Bound to descriptor 3 by name: with LISTEN_FDS as well gunicorn would take it over twice.
UnsetEnvironment=LISTEN_PID LISTEN_FDS LISTEN_FDNAMES
ExecStart=${command}
TimeoutStopSec=30
${originalSandbox.join('\n')}
`

/** The service unit as the package installed it, and where in it the sandbox begins. */
export async function installedUnit(host: Host): Promise<{ unit: string; withoutSandbox: string; sandbox: string[] }> {
  const unit = await host.sh('cat /usr/lib/systemd/system/fastAPI-unix.service')
  const [withoutSandbox = '', sandbox = ''] = unit.split(/^# Sandbox:.*$/m)
  if (sandbox === '') throw new Error('expected fastAPI-unix.service to have a line "# Sandbox: ..." before its protections')
  return { unit, withoutSandbox, sandbox: sandbox.split('\n').filter((line) => /^[A-Z]/.test(line)) }
}

/**
 * Lays services and their sockets into the host and starts the sockets; a service is started by whoever connects.
 * Every peer has the socket unit of the package, at a path of its own.
 *
 * @param units the service unit of each peer, by its name.
 */
export async function layPeers(host: Host, units: Record<string, string>): Promise<Record<string, Peer>> {
  const socketUnit = await host.sh('cat /usr/lib/systemd/system/fastAPI-unix.socket')
  const files: string[] = []
  const write = (file: string, content: string): void => void files.push(`cat > /run/systemd/system/${file} <<'END OF UNIT'\n${content}\nEND OF UNIT\n`)
  const peers = Object.fromEntries(
    Object.entries(units).map(([name, unit]): [string, Peer] => {
      const peer = { name, service: `bench-${name}.service`, socketPath: `/run/fastAPI/bench-${name}.sock` }
      write(`bench-${name}.socket`, socketUnit.replace(/^ListenStream=.*$/m, `ListenStream=${peer.socketPath}`))
      write(peer.service, unit.replaceAll('fastAPI-unix.socket', `bench-${name}.socket`))
      return [name, peer]
    })
  )
  const sockets = Object.keys(units).map((name) => `bench-${name}.socket`)
  // One command for all of them: entering the host takes longer than what is done there.
  await host.sh('bash -eu', { input: `${files.join('')}systemctl daemon-reload\nsystemctl start ${sockets.join(' ')}\n` })
  return peers
}

export type ComparedName = 'ours' | 'oursFourProtections' | 'floor' | 'fastify' | 'gunicorn' | 'uvicorn'

/** Lays down everything that ours is compared with; `fastify` is that peer's program; `ours` is the package's own unit. */
export async function layCompared(host: Host, fastify: string): Promise<Record<ComparedName, Peer>> {
  const { unit, withoutSandbox } = await installedUnit(host)
  await host.write('/usr/lib/bench/floor.js', await readFile(join(checkout, 'test/bench/in-host/floor.js')))
  await host.write('/usr/lib/bench/fastify.js', fastify)
  await host.write('/opt/bench/app.py', app)
  const running = (program: string): string => unit.replace(/^ExecStart=.*$/m, `ExecStart=/usr/bin/node ${program}`)
  const peers = await layPeers(host, {
    ours: unit,
    'ours-four': `${withoutSandbox}\n${originalSandbox.join('\n')}\n`,
    floor: running('/usr/lib/bench/floor.js'),
    fastify: running('/usr/lib/bench/fastify.js'),
    gunicorn: pythonUnit('/usr/bin/python3 -m gunicorn -k uvicorn.workers.UvicornWorker --workers 2 --bind fd://3 app:app'),
    uvicorn: pythonUnit('/usr/bin/python3 -m uvicorn --fd 3 --no-access-log app:app')
  })
  const { ours, 'ours-four': oursFourProtections, ...others } = peers
  return { ours, oursFourProtections, ...others } as Record<ComparedName, Peer>
}
