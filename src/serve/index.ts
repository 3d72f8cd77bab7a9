import { createServer, type RequestListener, type Server } from 'node:http'
import { exitError, exitStatus } from '../exit.js'
import { release } from '../release.js'
import { takeActivation } from './activation.js'
import { watchConnections } from './connections.js'
import { listenWithin, serverLimits } from './limits.js'
import { createLog } from './log.js'
import { createNotify, keepWatchdog, type Notify } from './notify.js'
import { answerProbes } from './plain-health.js'
import { readSettings, type ListenAddress } from './settings.js'

/** Fits Backlog= of fastAPI-unix.socket: listen(2) on an inherited socket sets its queue anew. */
const backlog = 4096

// Probes are answered without the application: the first request of another kind loads it.
const loadApp = () => require('./app.js') as typeof import('./app.js')
// Only WORKERS above 1 needs them.
const loadWorkers = () => require('./workers.js') as typeof import('./workers.js')
const loadWorker = () => require('./worker.js') as typeof import('./worker.js')

/**
 * Serves until it is told to stop or nobody has asked for the idle time, then drains and ends the process.
 *
 * @throws exitError for wrong arguments (64), bad settings (78), or sockets that cannot be listened on (1).
 */
export async function serve(args: string[]): Promise<void> {
  const isWorker = args[0] === '--worker'
  if (args.length > 0 && !isWorker) {
    throw exitError(exitStatus.usage, `serve takes no arguments, got "${args.join(' ')}"; its settings are environment variables`)
  }
  const settings = readSettings(process.env)
  const log = createLog(settings.logLevel, process.env)
  const supervisor = isWorker ? loadWorker().takeSupervisor(args[1], () => leave('its supervisor is gone')) : undefined
  const { socketFds, notify } = supervisor ?? activated()
  if (supervisor === undefined && settings.workers > 1) {
    if (socketFds.length > 0) return loadWorkers().superviseWorkers(socketFds, settings, log, notify)
    log.warn({ workers: settings.workers }, 'WORKERS needs the socket that systemd passes: one process serves')
  }

  let koa: RequestListener | undefined
  const application: RequestListener = (request, response) => {
    koa ??= loadApp().createApp(log, settings.health).callback()
    void koa(request, response)
  }
  // Where every request is logged, all of them take the long way.
  const listener = log.debugs ? application : answerProbes(application)
  const newServer = (): Server => {
    const server = createServer(serverLimits(settings.keepAliveTimeoutMs))
    listenWithin(server, listener)
    return server
  }
  const servers = socketFds.length > 0 ? socketFds.map(newServer) : [newServer()]
  const connections = watchConnections(servers, settings, () => (supervisor === undefined ? leave('idle') : sayIdle(true)))

  let saidIdle = false
  function sayIdle(idle: boolean): void {
    if (saidIdle === idle) return
    saidIdle = idle
    supervisor?.sayIdle(idle)
  }
  if (supervisor !== undefined) for (const server of servers) server.on('connection', () => sayIdle(false))

  let leaving = false
  function leave(reason: string): void {
    if (leaving) return
    leaving = true
    notify('STOPPING=1', `STATUS=Draining ${connections.count()} connections (${reason})`)
    log.debug({ reason, connections: connections.count() }, 'draining')
    void connections.drain().then((clean) => {
      if (!clean) log.warn({ reason }, 'SHUTDOWN_TIMEOUT cut the drain short')
      process.exit(exitStatus.done)
    })
  }
  process.on('SIGTERM', () => leave('SIGTERM'))
  process.on('SIGINT', () => leave('SIGINT'))

  await Promise.all(
    servers.map((server, index) => {
      const fd = socketFds[index]
      return fd === undefined ? listenOn(server, settings.listen) : listenOnFd(server, fd)
    })
  )
  notify('READY=1', `STATUS=Release ${release} serves`)
  keepWatchdog(notify, process.env)
  log.debug({ release }, 'ready')
  if (socketFds.length === 0) log.info({ release, address: servers[0]?.address() }, 'no socket from systemd: listening for development')
}

function activated(): { socketFds: number[]; notify: Notify } {
  const { socketFds, notifyFd } = takeActivation(process.env, process.pid)
  return { socketFds, notify: createNotify(notifyFd) }
}

function listenOnFd(server: Server, fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    // Not once: an accept that fails later on costs that connection alone, and not the process.
    server.on('error', (error) => {
      reject(exitError(exitStatus.failed, `expected file descriptor ${fd} to be a listening stream socket: ${error.message}`))
    })
    // The backlog as its own argument: inside the object Node ignores it and cuts systemd's queue to 511.
    server.listen({ fd }, backlog, resolve)
  })
}

function listenOn(server: Server, address: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(exitError(exitStatus.failed, `LISTEN: cannot listen there: ${error.message}`))
    })
    server.listen({ ...address, backlog }, resolve)
  })
}
