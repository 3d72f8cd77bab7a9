import { dirname, resolve } from 'node:path'
import { run } from '../run.js'
import { parseNginx, type Directive } from './syntax.js'

/** One `listen` of a server. `address` is `*`, an IPv4 address, an IPv6 address in brackets, a name, or `unix:PATH`. */
export interface Listen {
  address: string
  /** 0 for a Unix socket. */
  port: number
  isDefault: boolean
  isTls: boolean
}

/** One `server {}` inside `http {}`, in the order in which nginx reads them. */
export interface Server {
  file: string
  line: number
  listens: Listen[]
  names: string[]
  directives: Directive[]
}

/** nginx's configuration with every include followed. */
export interface Configuration {
  /** Every file that takes part, the main one first. */
  files: string[]
  directives: Directive[]
  servers: Server[]
}

/** What reading gave: a configuration, or why there is none. `missing`: nginx is not installed. */
export type Reading = { configuration: Configuration } | { problem: string; missing: boolean }

/**
 * nginx's configuration as nginx itself reads it, by `nginx -T`, which tests it too. Where the test fails, `problem`
 * is what nginx said. Mostly needs root: nginx opens its logs and its pid file for the test.
 */
export async function readConfiguration(): Promise<Reading> {
  const { status, stdout, stderr, problem } = await run('nginx', ['-T'])
  if (status === 0) return { configuration: parseDump(stdout) }
  return { problem: problem ?? stderr.trim(), missing: /is not installed/.test(problem ?? '') }
}

/** Reads what `nginx -T` prints: each file once, after a line "# configuration file PATH:". */
export function parseDump(dump: string): Configuration {
  const files = new Map<string, string>()
  const parts = dump.split(/^# configuration file (.+):$/m)
  for (let index = 1; index < parts.length; index += 2) {
    // nginx ends the marker and each file with a line feed of its own.
    files.set(parts[index] as string, (parts[index + 1] as string).replace(/^\n/, ''))
  }
  const names = [...files.keys()]
  const [main = '/etc/nginx/nginx.conf'] = names
  const prefix = dirname(main)

  function follow(file: string, above: string[]): Directive[] {
    return withIncludes(parseNginx(files.get(file) ?? '', file), [...above, file])
  }
  function withIncludes(directives: Directive[], above: string[]): Directive[] {
    return directives.flatMap((directive) => {
      if (directive.name === 'include') {
        const pattern = globPattern(resolve(prefix, directive.args[0] ?? ''))
        return names
          .filter((name) => pattern.test(name) && !above.includes(name))
          .sort()
          .flatMap((name) => follow(name, above))
      }
      return [directive.block === undefined ? directive : { ...directive, block: withIncludes(directive.block, above) }]
    })
  }

  const directives = follow(main, [])
  const servers = directives
    .filter(({ name }) => name === 'http')
    .flatMap(({ block = [] }) => block)
    .filter(({ name, block }) => name === 'server' && block !== undefined)
    .map(toServer)
  return { files: names, directives, servers }
}

/**
 * The server that answers a request for `host` that comes in at `address` (an IP address) and `port`, by the rules of
 * https://nginx.org/en/docs/http/request_processing.html and server_names.html. Undefined: nothing listens there.
 */
export function serverFor(servers: Server[], address: string, port: number, host: string): Server | undefined {
  const at = (wanted: string) =>
    servers.flatMap((server) => {
      const listen = server.listens.find((each) => each.port === port && each.address === wanted)
      return listen === undefined ? [] : [{ server, isDefault: listen.isDefault }]
    })
  // Who listens on the very address hides who listens on all of them.
  const exact = at(address.includes(':') ? `[${address}]` : address)
  const candidates = exact.length > 0 ? exact : at(address.includes(':') ? '[::]' : '*')
  const wanted = host.toLowerCase()
  const named = candidates
    .map(({ server }) => ({ server, rank: Math.max(...server.names.map((name) => matchRank(name, wanted))) }))
    .filter(({ rank }) => rank > 0)
    // Array#sort is stable: of equal names the first one counts, as nginx ignores the others with a warning.
    .sort((one, other) => other.rank - one.rank)
  return named[0]?.server ?? (candidates.find(({ isDefault }) => isDefault) ?? candidates[0])?.server
}

/** The servers that pass requests to the Unix socket at `socketPath`, directly or by an `upstream {}`. */
export function serversFor({ directives, servers }: Configuration, socketPath: string): Server[] {
  const unix = `unix:${socketPath}`
  const upstreams = [...all(directives)]
    .filter(({ name, block = [] }) => name === 'upstream' && block.some((each) => each.name === 'server' && each.args[0] === unix))
    .map(({ args }) => args[0])
  return servers.filter((server) =>
    [...all(server.directives)].some(({ name, args: [target = ''] }) => {
      if (name !== 'proxy_pass') return false
      const [, authority = ''] = /^https?:\/\/(unix:[^:]+|[^/]+)/.exec(target) ?? []
      return authority === unix || upstreams.includes(authority)
    })
  )
}

/** Every directive, those within blocks included, in the order in which they stand. */
export function* all(directives: Directive[]): Generator<Directive> {
  for (const directive of directives) {
    yield directive
    if (directive.block !== undefined) yield* all(directive.block)
  }
}

/** 0 no match; else the higher the better: a regular expression, a wildcard at the end, one at the start, the name. */
function matchRank(name: string, host: string): number {
  const lower = name.toLowerCase()
  if (name.startsWith('~')) {
    try {
      return new RegExp(name.slice(1), 'i').test(host) ? 1 : 0
    } catch {
      return 0 // PCRE knows more than JavaScript
    }
  }
  if (lower === host) return 100_000
  if (lower.startsWith('.') && (host === lower.slice(1) || host.endsWith(lower))) return 10_000 + lower.length
  if (lower.startsWith('*.') && host.endsWith(lower.slice(1))) return 10_000 + lower.length
  if (lower.endsWith('.*') && host.startsWith(lower.slice(0, -1))) return 10 + lower.length
  return 0
}

function toServer({ file, line, block = [] }: Directive): Server {
  const listens = block.filter(({ name }) => name === 'listen').map(({ args }) => toListen(args))
  const names = block.filter(({ name }) => name === 'server_name').flatMap(({ args }) => args)
  return {
    file,
    line,
    // Without any, and as root, nginx listens on port 80 of all IPv4 addresses.
    listens: listens.length > 0 ? listens : [toListen(['80'])],
    names: names.length > 0 ? names : [''],
    directives: block
  }
}

function toListen([where = '80', ...flags]: string[]): Listen {
  const isDefault = flags.includes('default_server') || flags.includes('default')
  const isTls = flags.includes('ssl')
  if (where.startsWith('unix:')) return { address: where, port: 0, isDefault, isTls }
  const match = /^(?:(\[[^\]]+\]|[^:]*[^:\d][^:]*)(?::(\d+))?|(\d+))$/.exec(where)
  const address = match?.[1] ?? '*'
  return { address: address === '0.0.0.0' ? '*' : address, port: Number(match?.[2] ?? match?.[3] ?? 80), isDefault, isTls }
}

/** A pattern of glob(7), as a regular expression. */
function globPattern(glob: string): RegExp {
  const source = glob.replace(/[.+^${}()|\\]/g, '\\$&').replace(/\*/g, '[^/]*').replace(/\?/g, '[^/]').replace(/\[!/g, '[^')
  return new RegExp(`^${source}$`)
}
