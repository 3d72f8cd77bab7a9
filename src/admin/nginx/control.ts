import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from '../run.js'

const unit = 'nginx.service'

/** How long nginx may take to start workers with a new configuration. */
const reloadTimeoutMs = 5000

/** Whether nginx is there, and whether systemd runs it. */
export async function nginxState(): Promise<'missing' | 'stopped' | 'running'> {
  if ((await run('nginx', ['-v'])).status === undefined) return 'missing'
  return (await run('systemctl', ['--quiet', 'is-active', unit])).status === 0 ? 'running' : 'stopped'
}

/** What nginx says of its configuration by `nginx -t`; undefined where it accepts it. */
export async function testConfiguration(): Promise<string | undefined> {
  const { status, stderr, problem } = await run('nginx', ['-t', '-q'])
  return status === 0 ? undefined : (problem ?? stderr.trim())
}

/**
 * Reloads nginx and waits until it has workers with the new configuration: one that it cannot carry out, such as a
 * port that another program holds, leaves it with the old ones, and only its journal says so.
 *
 * @returns what went wrong, undefined where nothing did.
 */
export async function reloadNginx(): Promise<string | undefined> {
  const { stdout } = await run('systemctl', ['show', '--property=MainPID', '--value', unit])
  const master = stdout.trim()
  const before = new Set(await children(master))
  const startedAt = Date.now()
  const { status, stderr, problem } = await run('systemctl', ['reload', unit])
  if (status !== 0) return problem ?? stderr.trim()
  let hasNew = false
  for (const deadline = startedAt + reloadTimeoutMs; Date.now() < deadline; await sleep(20)) {
    const now = await children(master)
    hasNew ||= now.some((child) => !before.has(child))
    // For a moment old and new workers accept, side by side.
    if (hasNew && !(await anyAccepts(now.filter((child) => before.has(child))))) return undefined
  }
  if (hasNew) return undefined
  const since = `@${Math.floor(startedAt / 1000)}`
  const journal = await run('journalctl', ['--unit', unit, '--since', since, '--lines', '5', '--output', 'cat', '--no-pager'])
  return `nginx goes on with its old configuration; its journal says:\n${journal.stdout.trim()}`
}

/** Whether one of these workers still accepts: nginx writes into their command line when they do no longer. */
async function anyAccepts(workers: string[]): Promise<boolean> {
  const lines = await Promise.all(workers.map((worker) => readFile(`/proc/${worker}/cmdline`, 'utf8').catch(() => '')))
  return lines.some((line) => line.startsWith('nginx: worker process') && !line.includes('shutting down'))
}

/** Pids of the children of `pid`, proc_pid_task(5). */
async function children(pid: string): Promise<string[]> {
  try {
    return (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter((child) => child !== '')
  } catch {
    return [] // it has ended
  }
}
