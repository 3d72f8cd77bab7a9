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
  /** `socket.bytesRead` when the last answer was complete: more than that now means that a request is arriving. */
  answeredAt: number
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
  const responses = new Set<ServerResponse>()
  let idleTimer: NodeJS.Timeout | undefined
  let draining: Promise<boolean> | undefined
  let drained: ((clean: boolean) => void) | undefined

  function armIdleTimer(): void {
    if (times.idleTimeoutMs > 0) idleTimer = setTimeout(onIdle, times.idleTimeoutMs)
  }

  function onConnection(socket: Socket): void {
    clearTimeout(idleTimer)
    connections.set(socket, { open: 0, answeredAt: 0 })
    if (draining !== undefined) endWhenIdle(socket)
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
    connection.open++
    responses.add(response)
    if (draining !== undefined) response.setHeader('Connection', 'close')
    response.once('close', () => {
      responses.delete(response)
      connection.open--
      connection.answeredAt = socket.bytesRead
      if (draining !== undefined) endWhenIdle(socket)
    })
  }

  /** Gives `socket` the grace to send a request in, then ends it, unless one is under way or arriving. */
  function endWhenIdle(socket: Socket): void {
    setTimeout(() => {
      const connection = connections.get(socket)
      if (connection === undefined || connection.open > 0) return
      if (socket.bytesRead > connection.answeredAt) return // the request's own time limits end it
      socket.destroySoon()
    }, times.drainGraceMs)
  }

  for (const server of servers) {
    server.on('connection', onConnection)
    // Before the application's own listener, so that the header is set before any answer is.
    server.prependListener('request', onRequest)
  }
  armIdleTimer()

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
        for (const response of responses) if (!response.headersSent) response.setHeader('Connection', 'close')
        for (const socket of connections.keys()) endWhenIdle(socket)
        setTimeout(() => {
          for (const socket of connections.keys()) socket.destroy()
          resolve(connections.size === 0)
        }, times.shutdownTimeoutMs)
      })
      return draining
    }
  }
}
