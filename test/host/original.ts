import type { Host } from './host.js'

// A host as the deployment that this package replaces leaves it, by its README: units and tmpfiles in /etc, settings
// that no package owns, releases in /opt, virtual environments in /var/lib, a site in nginx.

/** Stands in for gunicorn, which a host has only where it is booted with `bench`: the same socket, the same ending. */
const standIn = `#!/usr/bin/node
const { createServer } = require('node:http')
const { Server } = require('node:net')
const { unlinkSync } = require('node:fs')
const server = createServer((request, response) => {
  response.setHeader('Content-Type', 'application/json').setHeader('Connection', 'close')
  response.end('{"status":"ok"}')
})
server.listen({ fd: 3 }, 2048)
process.on('SIGTERM', () => {
  Server.prototype.close.call(server, () => process.exit(0))
  // As gunicorn does with a socket that it was given by --bind fd://3.
  try { unlinkSync('/run/fastAPI/fastAPI.sock') } catch {}
})
`

const application = `from fastapi import FastAPI
app = FastAPI()

@app.get("/health")
def health():
    return {"status": "ok"}
`

const socket = `[Unit]
Description=FastAPI socket (Unix domain)

[Socket]
ListenStream=/run/fastAPI/fastAPI.sock
SocketUser=fastapi
SocketGroup=http
SocketMode=0660
Backlog=128

[Install]
WantedBy=sockets.target
`

const service = `[Unit]
Description=FastAPI service (Gunicorn) - socket activated
Requires=fastAPI-unix.socket
After=network.target fastAPI-unix.socket
RefuseManualStart=yes

[Service]
Type=simple
User=fastapi
Group=fastapi
WorkingDirectory=/opt/fastAPI/current
EnvironmentFile=/etc/fastAPI/fastAPI.env
UnsetEnvironment=LISTEN_PID LISTEN_FDS LISTEN_FDNAMES
ExecStart=/var/lib/fastAPI/current-venv/bin/python -m gunicorn app.main:app -k uvicorn.workers.UvicornWorker --workers 2 --bind fd://3
Restart=on-failure
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=full
ProtectHome=read-only
`

const site = `server {
    listen 80;
    server_name health.example.org;
    location / { proxy_pass http://unix:/run/fastAPI/fastAPI.sock; }
}
`

export interface OriginalOptions {
  /** Real gunicorn and FastAPI, on a host that was booted with `bench`. */
  real: boolean
  /** How nginx was set up: a site in http.d, or a drop-in that starts nginx with a configuration of its own. */
  nginx: 'http.d' | 'drop-in'
  settings: string
}

/** Lays it down and starts it; resolves when it answers. */
export async function provisionOriginal(host: Host, { real, nginx, settings }: OriginalOptions): Promise<void> {
  await host.sh('useradd --system --home-dir /var/lib/fastAPI --shell /usr/bin/nologin fastapi')
  await host.write('/etc/systemd/system/fastAPI-unix.socket', socket)
  await host.write('/etc/systemd/system/fastAPI-unix.service', service)
  await host.write('/etc/tmpfiles.d/fastAPI.conf', 'd /run/fastAPI 0755 fastapi http -\n')
  await host.write('/etc/fastAPI/fastAPI.env', settings)
  const id = '20250101120000'
  await host.write(`/opt/fastAPI/releases/${id}/app/main.py`, application)
  await host.sh(`ln -s /opt/fastAPI/releases/${id} /opt/fastAPI/current
    mkdir -p /var/lib/fastAPI/venvs/${id}/bin && ln -s /var/lib/fastAPI/venvs/${id} /var/lib/fastAPI/current-venv`)
  if (real) await host.sh(`ln -s /usr/bin/python3 /var/lib/fastAPI/venvs/${id}/bin/python`)
  else await host.write(`/var/lib/fastAPI/venvs/${id}/bin/python`, standIn, { mode: '755' })
  await host.sh('chown -R fastapi:fastapi /opt/fastAPI /var/lib/fastAPI')
  if (nginx === 'http.d') {
    await host.write('/etc/nginx/http.d/00-fastAPI.conf', site)
    await host.sh("sed -i '$s|}|    include http.d/*.conf;\\n}|' /etc/nginx/nginx.conf")
  } else {
    await host.write('/etc/nginx/nginx.fastAPI.conf', `user http;\nevents {}\nhttp {\n${site}}\n`)
    await host.write(
      '/etc/systemd/system/nginx.service.d/fastAPI.conf',
      "[Service]\nExecStart=\nExecStart=/usr/bin/nginx -c /etc/nginx/nginx.fastAPI.conf -g 'pid /run/nginx.pid; error_log stderr;'\n"
    )
  }
  await host.sh(`systemd-tmpfiles --create /etc/tmpfiles.d/fastAPI.conf && systemctl daemon-reload
    systemctl enable --now fastAPI-unix.socket nginx.service
    curl --silent --show-error --fail --max-time 30 --unix-socket /run/fastAPI/fastAPI.sock http://localhost/health
    curl --silent --show-error --fail --max-time 30 --header 'Host: health.example.org' http://127.0.0.1/health`)
}
