import { startLoad } from '../load/in-host.js'
import { doctor } from './doctor.js'
import { bootHost, type Host } from './host.js'
import { provisionOriginal } from './original.js'
import { pushPackage, servingRelease } from './pacman.js'
import { test } from './test.js'

/** The long form has real gunicorn, uvicorn and FastAPI; the short one what stands in for them. */
const real = process.env['PROOF'] === 'full'

const settings = '# ours\nLOG_LEVEL=warn\nDATABASE_URL=postgres://x\n'
const hosts: Host[] = []

async function originalHost(nginx: 'http.d' | 'drop-in'): Promise<{ host: Host; path: string }> {
  const host = await bootHost({ bench: real })
  hosts.push(host)
  await provisionOriginal(host, { real, nginx, settings })
  return { host, path: await pushPackage(host) }
}

/** The README's commands, with clients that poll the socket all the while. */
async function migrate(host: Host, path: string) {
  const load = await startLoad(host, {
    target: { socketPath: '/run/fastAPI/fastAPI.sock' },
    connections: 'new',
    clients: 4,
    thinkMs: 2,
    requests: 200_000,
    durationMs: 120_000
  })
  const installed = await host.sh(`pacman -U --noconfirm ${path} 2>&1`)
  const found = await doctor(host)
  await host.sh('fastapi-health doctor --script >change-over.sh; sh -e change-over.sh')
  const mended = await doctor(host)
  return { installed, found, mended, report: await load.stop() }
}

test.after.always(async () => {
  await Promise.all(hosts.map((host) => host.stop()))
})

for (const nginx of ['http.d', 'drop-in'] as const) {
  test(`a host of the original, nginx by ${nginx}: the package and the script that doctor prints, settings kept, no request lost`, async (t) => {
    t.timeout(600_000)
    const { host, path } = await originalHost(nginx)
    const { installed, found, mended, report } = await migrate(host, path)
    t.regex(installed, /^fastapi-health: in force instead of the packaged units: .* to change over: fastapi-health doctor$/m)
    t.log(`${installed}\n${found.text}`)
    t.is(found.status, 1)
    t.is(mended.status, 0, mended.text)
    t.log(`${report.sent} requests, ${report.failed} failed, longest ${Math.round(report.latencyMs.max)} ms ${JSON.stringify(report.failures)}`)
    t.true(report.sent > 100)
    t.is(report.failed, 0, JSON.stringify(report))

    t.is(`fastapi-health ${await servingRelease(host)}\n`, await host.sh('pacman -Q fastapi-health'))
    t.is(await host.sh('cat /etc/fastAPI/fastAPI.env'), settings)
    t.is(await host.sh('pacman -Qqo /etc/fastAPI/fastAPI.env'), 'fastapi-health\n')
    t.is(await host.sh("tr '\\0' '\\n' </proc/$(systemctl show -P MainPID fastAPI-unix.service)/environ | grep -E 'LOG_LEVEL|DATABASE'"), 'LOG_LEVEL=warn\nDATABASE_URL=postgres://x\n')
    t.is((await host.run('pgrep -f gunicorn')).stdout, '')
    t.is(await host.sh('ls -d /opt/fastAPI /etc/systemd/system/fastAPI-unix.* /etc/tmpfiles.d/fastAPI.conf /var/lib/fastAPI/*venv* 2>/dev/null || :'), '')
    t.is(await host.sh("stat -c '%U:%G %a' /var/lib/fastAPI /run/fastAPI"), 'root:root 755\nroot:root 755\n')
    t.is(await host.sh("curl -sS -H 'Host: health.example.org' http://127.0.0.1/health"), '{"status":"ok"}')
    await host.reboot()
    t.is((await doctor(host)).status, 0)
    t.is(await host.sh('systemctl --failed --legend=no'), '')
  })
}
