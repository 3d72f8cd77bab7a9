import { once } from 'node:events'
import { join } from 'node:path'
import { quoted, type Host } from '../host/host.js'
import type { LoadOptions, LoadReport } from './load.js'

/** Load options that can be told to another process. */
export type HostLoadOptions = LoadOptions & { target: { socketPath: string } | { host: string; port: number } }

/** A load that runs inside a host. */
export interface RunningLoad {
  /** Ends it early: nothing more is sent, what is under way is waited for; resolves with the report. */
  stop(): Promise<LoadReport>
  /** Resolves with the report when the load has ended by its own bounds. */
  report: Promise<LoadReport>
}

const folder = '/usr/local/lib/load'

/**
 * Starts the load client in `host`, by default as the user `web` of the group http, on a copy of the host's node: it goes on
 * while /usr/bin/node is away or replaced. Resolves when it has begun to send.
 */
export async function startLoad(host: Host, options: HostLoadOptions, user = 'web'): Promise<RunningLoad> {
  await pushLoad(host)
  const command = `ulimit -n 16384; exec ${folder}/node ${folder}/main.js ${quoted(JSON.stringify(options))} until-input-ends`
  const child = host.spawn(command, { user, stdio: ['pipe', 'pipe', 'pipe'] })
  if (child.stdin === null || child.stdout === null || child.stderr === null) throw new Error('expected a child with pipes')
  const { stdin, stdout, stderr } = child
  let said = ''
  let errors = ''
  stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const report = (async () => {
    await once(child, 'close')
    const last = said.trimEnd().split('\n').at(-1) ?? ''
    if (!last.startsWith('{')) throw new Error(`expected the load client's report, got: ${said}${errors}`)
    return JSON.parse(last) as LoadReport
  })()
  // Whoever waits for the start is told of a failure there first.
  report.catch(() => {})
  await new Promise<void>((resolve, reject) => {
    stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes('started\n')) resolve()
    })
    report.catch(reject)
  })
  return {
    report,
    stop() {
      stdin.end()
      return report
    }
  }
}

/** The hosts that have it, or are being given it. */
const pushed = new WeakMap<Host, Promise<void>>()

/** Puts the load client into `host`, once: main.js, to be run by the node beside it. */
function pushLoad(host: Host): Promise<void> {
  const pushing = pushed.get(host) ?? push(host)
  pushed.set(host, pushing)
  return pushing
}

async function push(host: Host): Promise<void> {
  // package.json: the compiled output is CommonJS.
  await host.write(`${folder}/package.json`, '{"type":"commonjs"}\n')
  await host.push(join(__dirname, 'load.js'), `${folder}/load.js`)
  await host.sh(`cp --remove-destination /usr/bin/node ${folder}/node`)
  await host.push(join(__dirname, 'main.js'), `${folder}/main.js`)
}
