import { parseArgs } from 'node:util'
import { exitError, exitStatus } from '../../exit.js'
import { disable } from './disable.js'
import { enable } from './enable.js'
import { listenAddress, serverName } from './options.js'
import { status } from './status.js'

const usage = `Usage: fastapi-health nginx enable [OPTION...]
       fastapi-health nginx disable [--dry-run]
       fastapi-health nginx status

Switches the site /etc/nginx/fastAPI/fastAPI.conf on and off, or says how it is. nginx tests every
change before it is made and is reloaded, never restarted; other sites are left as they are.

  --server-name NAME  name that the site answers to; again for another (default fastapi.localhost)
  --listen ADDRESS    PORT, IPV4:PORT or [IPV6]:PORT; again for another (default 80, IPv4)
  --dry-run           show what would change
  --help              show this text

Exit status: 0 done, or the site is on; 1 failed and nothing changed, or the site is off; 64 wrong
arguments; 77 needs root.
`

/** `fastapi-health nginx`: the site of the service in nginx's configuration. */
export async function nginx(args: string[]): Promise<void> {
  const { values, positionals } = parse(args)
  if (values.help === true) {
    process.stdout.write(usage)
    return
  }
  const [action, ...rest] = positionals
  if (rest.length > 0) throw wrong(`expected one of enable, disable, status, got "${positionals.join(' ')}"`)
  const options = {
    listens: values.listen?.map(listenAddress),
    names: values['server-name']?.map(serverName)
  }
  const hasOptions = options.listens !== undefined || options.names !== undefined
  if (action !== 'enable' && hasOptions) throw wrong('--listen and --server-name go with enable')
  if (action === 'status' && values['dry-run'] === true) throw wrong('--dry-run goes with enable and disable')

  if (action === 'enable' || action === 'disable' || action === 'status') needRoot(action)
  const dryRun = values['dry-run'] === true
  if (action === 'enable') await enable(options, dryRun)
  else if (action === 'disable') await disable(dryRun)
  else if (action === 'status') await status()
  else throw wrong(`expected one of enable, disable, status, got ${action === undefined ? 'nothing' : JSON.stringify(action)}`)
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        'server-name': { type: 'string', multiple: true },
        listen: { type: 'string', multiple: true },
        'dry-run': { type: 'boolean' },
        help: { type: 'boolean' }
      }
    })
  } catch (error) {
    throw wrong((error as Error).message)
  }
}

function wrong(problem: string): Error {
  return exitError(exitStatus.usage, `nginx: ${problem}\n\n${usage}`)
}

/** nginx opens its logs, its pid file and its certificates even for a test. */
function needRoot(action: string): void {
  if (process.geteuid?.() === 0) return
  throw exitError(exitStatus.noPermission, `nginx ${action} needs root; run: sudo fastapi-health nginx ${action}`)
}
