import { startLoad } from '../load/in-host.js'
import { doctor } from './doctor.js'
import { bootHost, type Host } from './host.js'
import { provisionOriginal } from './original.js'
import { pushPackage, servingRelease } from './pacman.js'
import { test } from './test.js'

/** The long form has real gunicorn, uvicorn and FastAPI; the short one what stands in for them. */
const real = process.env['PROOF'] === 'full'

const hosts: Host[] = []

async function originalHost(nginx: 'http.d' | 'drop-in', settings: string): Promise<{ host: Host; path: string }> {
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
  // Too early: before the settings are mended.
  const early = (await doctor(host)).wrong.some((each) => each.startsWith('fail settings'))
    ? (await host.run('! /usr/lib/fastapi-health/change-over 2>&1')).stdout
    : ''
  const found = await doctor(host)
  const changed = await host.sh('fastapi-health doctor --script >change-over.sh; sh -e change-over.sh 2>&1')
  const mended = await doctor(host)
  return { installed, early, found, changed, mended, report: await load.stop() }
}

test.after.always(async () => {
  await Promise.all(hosts.map((host) => host.stop()))
})

const kinds = [
  { nginx: 'http.d', settings: '# ours\nLOG_LEVEL=warn\nDATABASE_URL=postgres://x\n', kept: '# ours\nLOG_LEVEL=warn\nDATABASE_URL=postgres://x\n' },
  // As Python's logging writes it, which is no level of the package's.
  { nginx: 'drop-in', settings: 'LOG_LEVEL=INFO\nIDLE_TIMEOUT=60\n', kept: '#LOG_LEVEL=INFO\nIDLE_TIMEOUT=60\n' }
] as const

for (const { nginx, settings, kept } of kinds) {
  test(`a host of the original, nginx by ${nginx}: the package and the script that doctor prints, settings kept, no request lost`, async (t) => {
    t.timeout(600_000)
    const { host, path } = await originalHost(nginx, settings)
    const { installed, early, found, changed, mended, report } = await migrate(host, path)
    t.regex(installed, /^fastapi-health: in force instead of the packaged units: .* to change over: fastapi-health doctor$/m)
    t.is(found.status, 1)
    if (kept !== settings) t.regex(early, /bad settings[^]*LOG_LEVEL="INFO"[^]*Nothing was changed: the old one goes on/)
    t.log(`${installed}\n${early}\n${found.text}\n${changed}`)
    t.is(mended.status, 0, mended.text)
    t.log(`${report.sent} requests, ${report.failed} failed, longest ${Math.round(report.latencyMs.max)} ms ${JSON.stringify(report.failures)}`)
    t.true(report.sent > 100)
    t.is(report.failed, 0, JSON.stringify(report))

    t.is(`fastapi-health ${await servingRelease(host)}\n`, await host.sh('pacman -Q fastapi-health'))
    t.is(await host.sh('cat /etc/fastAPI/fastAPI.env'), kept)
    t.is(await host.sh('pacman -Qqo /etc/fastAPI/fastAPI.env'), 'fastapi-health\n')
    const environment = await host.sh("tr '\\0' '\\n' </proc/$(systemctl show -P MainPID fastAPI-unix.service)/environ")
    for (const line of kept.split('\n').filter((each) => /^\w/.test(each))) t.true(environment.includes(`${line}\n`), line)
    t.is((await host.run('pgrep -f gunicorn')).stdout, '')
    t.is(await host.sh('ls -d /opt/fastAPI /etc/systemd/system/fastAPI-unix.* /etc/tmpfiles.d/fastAPI.conf /var/lib/fastAPI/*venv* 2>/dev/null || :'), '')
    t.is(await host.sh('ls -A /run/fastAPI; systemctl list-units --legend=no "*bridge*"'), 'fastAPI.sock\n')
    t.is(await host.sh("stat -c '%U:%G %a' /var/lib/fastAPI /run/fastAPI"), 'root:root 755\nroot:root 755\n')
    t.is(await host.sh("curl -sS -H 'Host: health.example.org' http://127.0.0.1/health"), '{"status":"ok"}')
    await host.reboot()
    t.is((await doctor(host)).status, 0)
    t.is(await host.sh('systemctl --failed --legend=no'), '')
  })
}
