import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { ask } from '../ask.js'
import { parseDump, readConfiguration, serverFor, serversFor, type Configuration, type Server } from '../nginx/configuration.js'
import { run } from '../run.js'
import { finding, type Check, type Finding, type Scene } from './finding.js'
import { portHolder } from './ports.js'
import { ownerNames, statusOf } from './status.js'
import { dropInPaths } from './units.js'
import { shellWord } from './words.js'

const check = 'nginx'
const enable = 'fastapi-health nginx enable'

/** Above the vhost's own limits, so that nginx says what is wrong rather than this that it took too long. */
const timeoutMs = 10_000

/** Whether nginx, where it is meant to, passes requests to the socket. */
export const nginx: Check = async (scene) => {
  const swapped = await swappedConfiguration(scene)
  if (swapped !== undefined) return [swapped]
  // What nobody has set up is a fault only for who says that it is meant to be.
  const absent = (evidence: string, mend: string) =>
    scene.nginxWanted ? finding(check, 'fail', evidence, mend) : finding(check, 'skipped', `${evidence}; to have it in front: ${mend}`)
  const reading = await readConfiguration()
  if ('problem' in reading) {
    if (reading.missing) return [absent('nginx is not installed', 'pacman -S nginx')]
    if (scene.uid !== 0) return [finding(check, 'skipped', "only root can read all of nginx's configuration")]
    const uses = scene.nginxWanted || scene.units?.nginx['ActiveState'] !== 'inactive' || reading.problem.includes('/etc/nginx/fastAPI/')
    const first = reading.problem.split('\n').find((line) => line.includes('[emerg]')) ?? reading.problem
    return [finding(check, uses ? 'fail' : 'skipped', `its configuration is broken: ${first}; test it by: nginx -t`)]
  }
  const { configuration } = reading
  const leftover = oldSite(configuration, scene)
  if (leftover !== undefined) return [leftover]
  const ours = serversFor(configuration, scene.socketPath)
  if (ours.length === 0) {
    return [absent(`no server in its configuration passes requests to ${scene.socketPath}`, enable)]
  }
  const stopped = await notRunning(scene, ours)
  if (stopped !== undefined) return [stopped]
  const reachable = ours.flatMap((server) => reachableBy(configuration, server))
  if (reachable.length === 0) return [hidden(configuration, ours)]
  return [await throughNginx(scene, configuration, reachable)]
}

/** A way to a server: the address to connect to, and the name to ask for. */
interface Way {
  address: string
  port: number
  isTls: boolean
  host: string
}

/** How requests reach `server` and none that stands before it. */
function reachableBy({ servers }: Configuration, server: Server): Way[] {
  return server.listens
    .filter(({ port }) => port !== 0)
    .flatMap(({ address, port, isTls }) => {
      const bare = address.replace(/^\[|\]$/g, '')
      // Who listens on every address is reached by loopback, unless another has just that address for itself.
      const addresses = bare === '*' ? ['127.0.0.1', '192.0.2.1'] : bare === '::' ? ['::1', '2001:db8::1'] : [bare]
      return server.names.flatMap((name) => {
        const host = hostFor(name)
        return addresses.filter((each) => serverFor(servers, each, port, host) === server).map((each) => ({ address: each, port, isTls, host }))
      })
    })
}

/** A host that a client could ask for to reach a server of this name: of "_" and the like, any that nobody has. */
function hostFor(name: string): string {
  return /^[\w.-]+$/.test(name) && name !== '_' ? name : 'any.invalid'
}

function hidden({ servers }: Configuration, ours: Server[]): Finding {
  const [server] = ours as [Server]
  const { port = 80 } = server.listens.find((listen) => listen.port !== 0) ?? {}
  const name = server.names[0] ?? ''
  const other = serverFor(servers, '127.0.0.1', port, hostFor(name))
  const taken = servers.filter((each) => !ours.includes(each)).flatMap((each) => each.names)
  const free = [hostname(), 'fastapi.localhost', 'fastapi-health.localhost'].find((each) => /^[\w.-]+$/.test(each) && !taken.includes(each))
  const before = other === undefined ? 'another server' : `the server at ${other.file}:${other.line}`
  const evidence = `${before} answers before ${server.file}:${server.line} does, for server_name ${JSON.stringify(name)} on port ${port}`
  return finding(check, 'fail', evidence, free === undefined ? undefined : `${enable} --server-name ${free}`)
}

async function notRunning({ units, uid }: Scene, ours: Server[]): Promise<Finding | undefined> {
  const { ActiveState: active, UnitFileState: file } = units?.nginx ?? {}
  if (units === undefined) return finding(check, 'skipped', 'its configuration includes the service; systemd does not say whether it runs')
  if (active === 'active' || active === 'reloading') {
    if (file === 'enabled') return undefined
    return finding(check, 'warn', `it runs, but is ${file}: not there after the next boot`, 'systemctl enable nginx.service')
  }
  for (const port of new Set(ours.flatMap((server) => server.listens.map((listen) => listen.port)).filter((each) => each !== 0))) {
    const holder = await portHolder(port)
    if (holder === undefined) continue
    const { pid, program, unit } = holder
    const stop = unit === undefined ? `kill ${pid}` : `systemctl disable --now ${shellWord(unit)}`
    const evidence = `it does not run: port ${port} is taken by ${program} (pid ${pid}${unit === undefined ? '' : `, ${unit}`})`
    return finding(check, 'fail', evidence, `${stop}; systemctl enable nginx.service && systemctl restart nginx.service`)
  }
  const why = uid === 0 ? '' : '; why, only root can see'
  return finding(check, 'fail', `it does not run (${active}), though its configuration includes the service${why}`, 'systemctl enable --now nginx.service')
}

/** Asks as a client of nginx would. */
async function throughNginx(scene: Scene, configuration: Configuration, ways: Way[]): Promise<Finding> {
  const way = ways.find(({ address, isTls }) => !isTls && !/^(192\.0\.2\.1|2001:db8::1)$/.test(address))
  if (way === undefined) return finding(check, 'ok', 'it passes requests on; not asked, as it does so by TLS or on another address alone')
  const { address, port, host } = way
  const url = new URL(`http://${address.includes(':') ? `[${address}]` : address}:${port}/health`)
  const name = `http://${host}${port === 80 ? '' : `:${port}`}/health`
  let status: number
  try {
    ;({ status } = await ask({ url, host }, 'application/json', timeoutMs))
  } catch (error) {
    return finding(check, 'fail', `${name}: ${(error as Error).message}`, 'systemctl reload nginx.service')
  }
  if (status === 200) return finding(check, 'ok', `${name} answers with status 200`)
  if (status === 502 || status === 504) return unreachable(scene, configuration, `${name} answers with status ${status}`)
  const evidence = `${name} answers with status ${status}: it has not read its configuration since that was changed`
  return finding(check, 'fail', evidence, 'systemctl reload nginx.service')
}

/** Why nginx cannot connect to the socket: its workers' user, unless nobody can. */
async function unreachable({ socketPath, units }: Scene, { directives }: Configuration, seen: string): Promise<Finding> {
  if (units?.socket['ActiveState'] !== 'active') return finding(check, 'fail', `${seen}: the socket is not active`)
  const status = await statusOf(socketPath)
  if (status === undefined) return finding(check, 'fail', `${seen}: ${socketPath} is missing`)
  // As compiled in on Arch, where nothing else is set.
  const [user = 'http', ownGroup] = directives.find(({ name }) => name === 'user')?.args ?? []
  const groups = ownGroup === undefined ? (await run('id', ['-Gn', user])).stdout.trim().split(' ') : [ownGroup]
  const { group } = await ownerNames(status)
  if (groups.includes(group)) {
    return finding(check, 'fail', `${seen}, though its user ${user} may connect; why: journalctl -u nginx.service -n 20 --no-pager`, 'systemctl reload nginx.service')
  }
  // A reload starts new workers, and those have the new group.
  const mend = `usermod -aG ${shellWord(group)} ${shellWord(user)} && systemctl reload nginx.service`
  return finding(check, 'fail', `${seen}: its user ${user} is not in group ${group}, which may connect to ${socketPath}`, mend)
}

/** The drop-in of the old deployment that starts nginx with a configuration of its own, and so without any other site. */
async function swappedConfiguration({ units, socketPath }: Scene): Promise<Finding | undefined> {
  const command = /argv\[\]=([^;]*)/.exec(units?.nginx['ExecStart'] ?? '')?.[1] ?? ''
  const file = /\s-c\s*(\S+)/.exec(command)?.[1]
  const paths = dropInPaths(units?.nginx ?? {})
  if (file === undefined || file === '/etc/nginx/nginx.conf' || paths.length === 0) return undefined
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8').catch(() => '')))
  const guilty = paths.filter((_path, index) => (texts[index] ?? '').includes(file))
  if (guilty.length === 0) return undefined
  const text = await readFile(file, 'utf8').catch(() => '')
  const [server] = serversFor(parseDump(`# configuration file ${file}:\n${text}`), socketPath)
  // nginx keeps the file that it was started with over a reload.
  const mend = `rm ${guilty.map(shellWord).join(' ')} && systemctl daemon-reload && systemctl try-restart nginx.service && ${enableAs(server)}`
  return finding(check, 'warn', `${guilty.join(' ')} makes it read ${file} instead of /etc/nginx/nginx.conf, and with that no other site`, mend)
}

/** The old deployment's site, by its name. Its server_name and listen go to the packaged one. */
function oldSite(configuration: Configuration, { socketPath }: Scene): Finding | undefined {
  const old = serversFor(configuration, socketPath).filter(({ file }) => /\/(?:http|conf)\.d\/[^/]*fastAPI\.conf$/.test(file))
  const [server] = old
  if (server === undefined) return undefined
  const files = [...new Set(old.map(({ file }) => file))]
  const mend = `rm ${files.map(shellWord).join(' ')} && ${enableAs(server)} && systemctl try-reload-or-restart nginx.service`
  return finding(check, 'warn', `${files.join(' ')} of the old deployment is in force`, mend)
}

/** The command that gives the packaged site the names of the old one. */
function enableAs(old: Server | undefined): string {
  const names = (old?.names ?? []).filter((name) => /^[\w.*-]+$/.test(name))
  return [enable, ...names.map((name) => `--server-name ${shellWord(name)}`)].join(' ')
}
