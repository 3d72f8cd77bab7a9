import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Server as NetServer, type Socket } from 'node:net'

/** Times, in milliseconds, that decide when connections may end. */
export interface ConnectionTimes {
  /** 0: never. */
  idleTimeoutMs: number
  drainGraceMs: number
  shutdownTimeoutMs: number
}

/** Who is connected, and how the server takes leave of them. */
export interface Connections {
  /** Connections that are open now. */
  count(): number
  /**
   * Stops accepting, answers what is under way, and resolves when nobody is connected any more: `true`, or `false`
   * where SHUTDOWN_TIMEOUT cut the rest short. A second call returns the first one's promise.
   */
  drain(): Promise<boolean>
}

/** What is known of one connection. */
interface Connection {
  /** Requests received and not yet answered. */
  open: number
  /** The response to the latest request, while it is under way. */
  latest: ServerResponse | undefined
  /** `socket.bytesRead` when the last answer was complete: more than that now means that a request is arriving. */
  quietAt: number
}

/**
 * Watches the connections of `servers`; calls `onIdle` once nobody has been connected for the idle time.
 *
 * Nothing is lost when a server leaves, because the queue of the listening socket is systemd's: whoever is not yet
 * accepted is answered by the next process. So draining closes the listening handle first, and only then waits for
 * those that were already accepted.
 */
export function watchConnections(servers: Server[], times: ConnectionTimes, onIdle: () => void): Connections {
  const connections = new Map<Socket, Connection>()
  let idleTimer: NodeJS.Timeout | undefined
  let draining: Promise<boolean> | undefined
  let drained: ((clean: boolean) => void) | undefined

  function armIdleTimer(): void {
    if (times.idleTimeoutMs === 0) return
    clearTimeout(idleTimer)
    idleTimer = setTimeout(() => {
      afterReading(() => {
        if (connections.size === 0) onIdle()
      })
    }, times.idleTimeoutMs)
  }

  function onConnection(socket: Socket): void {
    clearTimeout(idleTimer)
    connections.set(socket, { open: 0, latest: undefined, quietAt: 0 })
    if (draining !== undefined) endAfterGrace(socket)
    socket.once('close', () => {
      connections.delete(socket)
      if (connections.size > 0) return
      if (drained !== undefined) drained(true)
      else armIdleTimer()
    })
  }

  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    const connection = connections.get(socket)
    if (connection === undefined) return
    const { latest } = connection
    connection.open++
    connection.latest = response
    if (draining !== undefined) {
      // Of requests that came in one piece, only the last answer may end the connection.
      if (latest !== undefined && !latest.headersSent) latest.removeHeader('Connection')
      response.setHeader('Connection', 'close')
    }
    response.once('close', () => {
      connection.open--
      if (connection.latest === response) connection.latest = undefined
      // An answer can be complete before the body that it did not wait for: what comes then is no request.
      connection.quietAt = request.complete ? socket.bytesRead : Infinity
      if (draining !== undefined) endAfterGrace(socket)
    })
  }

  /** Gives `socket` the grace to send a request in, then ends it. */
  function endAfterGrace(socket: Socket): void {
    setTimeout(() => endIfQuiet(socket), times.drainGraceMs)
  }

  /** Ends `socket` after KEEP_ALIVE_TIMEOUT, unless something has come meanwhile, which sets the time anew. */
  function endIfStill(socket: Socket): void {
    const { bytesRead } = socket
    afterReading(() => {
      if (socket.bytesRead === bytesRead && connections.get(socket)?.open === 0) socket.destroySoon()
    })
  }

  /** Ends `socket`, unless a request is under way or arriving: that one's own time limits end it. */
  function endIfQuiet(socket: Socket): void {
    afterReading(() => {
      const connection = connections.get(socket)
      if (connection === undefined || connection.open > 0 || socket.bytesRead > connection.quietAt) return
      socket.destroySoon()
    })
  }

  for (const server of servers) {
    server.on('connection', onConnection)
    // Before the application's own listener, so that the header is set before any answer is.
    server.prependListener('request', onRequest)
    // Without a listener Node ends the connection at once, and what it has not yet read is lost.
    server.on('timeout', endIfStill)
    server.once('listening', armIdleTimer)
  }

  return {
    count: () => connections.size,
    drain() {
      draining ??= new Promise((resolve) => {
        clearTimeout(idleTimer)
        // http.Server#close() also resets connections that it has accepted but not yet read from,
        // https://github.com/nodejs/node/issues/63470; net.Server's closes the listening handle alone.
        for (const server of servers) NetServer.prototype.close.call(server)
        if (connections.size === 0) {
          resolve(true)
          return
        }
        drained = resolve
        for (const [socket, { latest }] of connections) {
          if (latest !== undefined && !latest.headersSent) latest.setHeader('Connection', 'close')
          endAfterGrace(socket)
        }
        setTimeout(() => {
          for (const socket of connections.keys()) socket.destroy()
          resolve(connections.size === 0)
        }, times.shutdownTimeoutMs)
      })
      return draining
    }
  }
}

/**
 * Calls `decide` when everything that has reached this process by now is read and accepted: of an event loop's turn,
 * timers are the first phase and immediates the last. A process that was held up would else end, by its timers,
 * connections whose requests have long been waiting to be read.
 */
function afterReading(decide: () => void): void {
  setImmediate(decide)
}
