import { readFile } from 'node:fs/promises'
import { askOnce } from '../check.js'
import { run } from '../run.js'
import { finding, serviceUnit, socketUnit, type Check, type Finding } from './finding.js'

/** How long the first answer may take: a start, on a slow machine. */
const timeoutMs = 10_000

/** What was found when the installed release was tried or asked, as `fastapi-health releases` keeps it. */
const verdictFile = '/var/lib/fastAPI/releases/verdict'

/** Whether the socket answers, and with the release that is installed. */
export const answer: Check = async ({ socketPath, tcpUrl, uid }) => {
  const check = 'answer'
  const [report, installed] = await Promise.all([askOnce(tcpUrl === undefined ? { socketPath } : { url: tcpUrl }, timeoutMs), installedRelease()])
  const took = `${report.durationMs} ms`
  if (report.status === 'unavailable') {
    if (uid !== 0 && /\bEACCES\b/.test(report.message)) return [finding(check, 'skipped', `${socketPath} may not be connected to, see "caller"`)]
    return [finding(check, 'fail', `${report.message} (${took}); why: journalctl -u ${serviceUnit} -u ${socketUnit} -n 20 --no-pager`)]
  }
  if (report.status === 'fail') return [finding(check, 'fail', `${report.message} (${took})`)]
  // That another release is installed is told once, below.
  const isTold = report.concerns?.every((name) => name === 'release:installed') === true
  const healthy = finding(check, isTold ? 'ok' : report.status, `${report.target} ${isTold ? 'is healthy' : report.message} (${took})`)
  return [healthy, await runningRelease(report.releaseId, installed)]
}

async function runningRelease(running: string | undefined, installed: string | undefined): Promise<Finding> {
  const check = 'release'
  const mend = `systemctl restart ${serviceUnit}`
  if (running === undefined) return finding(check, 'fail', 'what answers is not this package: it does not say its release', mend)
  if (installed === undefined) return finding(check, 'skipped', `${running} runs; pacman knows no package fastapi-health`)
  if (running !== installed) {
    const isBad = (await readFile(verdictFile, 'utf8').catch(() => '')).startsWith(`bad ${installed} `)
    // A restart would put into service what failed beside it.
    if (isBad) return finding(check, 'warn', `${running} runs, ${installed} is installed and failed its trial`, 'fastapi-health releases rollback')
    return finding(check, 'warn', `${running} runs, ${installed} is installed`, mend)
  }
  return finding(check, 'ok', `${running} runs and is installed`)
}

async function installedRelease(): Promise<string | undefined> {
  const { status, stdout } = await run('pacman', ['-Q', 'fastapi-health'])
  return status === 0 ? stdout.trim().split(' ')[1] : undefined
}
