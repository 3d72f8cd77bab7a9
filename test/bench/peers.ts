import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkout } from '../host/command.js'
import type { Host } from '../host/host.js'

/** Something that answers GET /health behind a socket of its own in the host. */
export interface Peer {
  name: string
  service: string
  socketPath: string
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
 * Lays a service and its socket into the host and starts the socket; the service is started by whoever connects.
 * Every peer has the socket unit of the package, at a path of its own.
 */
export async function layPeer(host: Host, name: string, unit: string): Promise<Peer> {
  const socketPath = `/run/fastAPI/bench-${name}.sock`
  const socket = (await host.sh('cat /usr/lib/systemd/system/fastAPI-unix.socket')).replace(
    /^ListenStream=.*$/m,
    `ListenStream=${socketPath}`
  )
  const service = `bench-${name}.service`
  await host.write(`/run/systemd/system/bench-${name}.socket`, socket)
  await host.write(`/run/systemd/system/${service}`, unit.replaceAll('fastAPI-unix.socket', `bench-${name}.socket`))
  return { name, service, socketPath }
}

/** Has systemd read what was laid, and listen for it. */
export async function startSockets(host: Host, peers: Peer[]): Promise<void> {
  await host.sh('systemctl daemon-reload')
  await host.sh(`systemctl start ${peers.map(({ name }) => `bench-${name}.socket`).join(' ')}`)
}

/** Lays down everything that ours is compared with. */
export async function layPeers(host: Host): Promise<Record<'ours' | 'oursFourProtections' | 'floor' | 'gunicorn' | 'uvicorn', Peer>> {
  const { unit, withoutSandbox } = await installedUnit(host)
  await host.write('/usr/lib/bench/floor.js', await readFile(join(checkout, 'test/bench/in-host/floor.js')))
  await host.write('/opt/bench/app.py', app)
  const peers = {
    ours: await layPeer(host, 'ours', unit),
    oursFourProtections: await layPeer(host, 'ours-four', `${withoutSandbox}\n${originalSandbox.join('\n')}\n`),
    floor: await layPeer(host, 'floor', unit.replace(/^ExecStart=.*$/m, 'ExecStart=/usr/bin/node /usr/lib/bench/floor.js')),
    gunicorn: await layPeer(
      host,
      'gunicorn',
      pythonUnit('/usr/bin/python3 -m gunicorn -k uvicorn.workers.UvicornWorker --workers 2 --bind fd://3 app:app')
    ),
    uvicorn: await layPeer(host, 'uvicorn', pythonUnit('/usr/bin/python3 -m uvicorn --fd 3 --no-access-log app:app'))
  }
  await startSockets(host, Object.values(peers))
  return peers
}
