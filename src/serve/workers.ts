import { spawn, type ChildProcess } from 'node:child_process'
import { exitError, exitStatus } from '../exit.js'
import { release } from '../release.js'
import type { Log } from './log.js'
import { keepWatchdog, type Notify } from './notify.js'
import type { Settings } from './settings.js'

// Independent processes that accept from one inherited socket, each as the kernel lets it. Not node:cluster: its
// primary accepts for all of them, and what it has accepted and not yet handed over is lost when it ends.

/** What a worker says to its supervisor. */
export type WorkerMessage = { assignments: string[] } | { idle: boolean }

/** Shortest and longest wait before a worker that ended is replaced; a worker that lives for the longest resets it. */
const leastPauseMs = 100
const mostPauseMs = 5000

/** How long past SHUTDOWN_TIMEOUT a worker may take to end before it is killed; below TimeoutStopSec= with it. */
const killGraceMs = 2000

interface Worker {
  child: ChildProcess
  startedAt: number
  ready: boolean
  idle: boolean
  aliveAt: number
}

/**
 * Keeps WORKERS processes that serve on `socketFds`: replaces one that ends, or that says nothing for WatchdogSec=,
 * and ends them all together on SIGTERM or once every one of them is idle. Never resolves: it ends the process.
 *
 * @throws exitError 1 where no worker has ever become ready.
 */
export function superviseWorkers(socketFds: number[], settings: Settings, log: Log, notify: Notify): Promise<never> {
  return new Promise((_, reject) => {
    const workers = new Set<Worker>()
    let everReady = false
    let leaving = false
    let pauseMs = leastPauseMs

    function startWorker(): void {
      const fds = socketFds.map((_, index) => firstWorkerFd + index)
      const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', 'serve', workerArgument, fds.join()], {
        // Not 'ignore', which needs a /dev/null: the service's own standard input is one.
        stdio: ['inherit', 'inherit', 'inherit', 'ipc', ...socketFds]
      })
      const worker: Worker = { child, startedAt: Date.now(), ready: false, idle: false, aliveAt: Date.now() }
      workers.add(worker)
      child.on('message', (message: WorkerMessage) => onMessage(worker, message))
      child.on('error', (error) => onEnd(worker, error.message))
      child.on('exit', (code, signal) => onEnd(worker, signal === null ? `status ${code}` : signal))
    }

    function onMessage(worker: Worker, message: WorkerMessage): void {
      if ('idle' in message) {
        worker.idle = message.idle
        if (workers.size === settings.workers && [...workers].every(({ idle }) => idle)) leave('idle')
        return
      }
      if (message.assignments.includes('WATCHDOG=1')) worker.aliveAt = Date.now()
      if (!message.assignments.includes('READY=1')) return
      worker.ready = true
      if (everReady) return
      // One is enough to answer everybody who waits.
      everReady = true
      notify('READY=1', `STATUS=Release ${release} serves with ${settings.workers} processes`)
      log.debug({ release, workers: settings.workers }, 'ready')
    }

    function onEnd(worker: Worker, how: string): void {
      if (!workers.delete(worker)) return
      if (leaving) {
        if (workers.size === 0) process.exit(exitStatus.done)
        return
      }
      if (!everReady) {
        for (const { child } of workers) child.kill('SIGTERM')
        reject(exitError(exitStatus.failed, `WORKERS: a process ended before any of them served: ${how}`))
        return
      }
      log.error({ pid: worker.child.pid, how }, 'a worker ended and is replaced')
      pauseMs = Date.now() - worker.startedAt > mostPauseMs ? leastPauseMs : Math.min(pauseMs * 2, mostPauseMs)
      setTimeout(() => {
        if (!leaving) startWorker()
      }, pauseMs)
    }

    function leave(reason: string): void {
      if (leaving) return
      leaving = true
      notify('STOPPING=1', `STATUS=Draining ${workers.size} processes (${reason})`)
      log.debug({ reason, workers: workers.size }, 'draining')
      if (workers.size === 0) process.exit(exitStatus.done)
      for (const { child } of workers) child.kill('SIGTERM')
      setTimeout(() => {
        for (const { child } of workers) child.kill('SIGKILL')
      }, settings.shutdownTimeoutMs + killGraceMs)
    }

    /** As systemd does to a single process whose event loop stands still. */
    function killSilent(intervalMs: number): void {
      for (const { child, ready, aliveAt } of workers) if (ready && Date.now() - aliveAt > intervalMs) child.kill('SIGKILL')
    }

    process.on('SIGTERM', () => leave('SIGTERM'))
    process.on('SIGINT', () => leave('SIGINT'))
    const watchdogMs = Number(process.env['WATCHDOG_USEC']) / 1000
    if (watchdogMs > 0) setInterval(() => killSilent(watchdogMs), watchdogMs / 2)
    keepWatchdog(notify, process.env)
    for (let count = 0; count < settings.workers; count++) startWorker()
  })
}

/** How a worker is told apart from the service itself: `serve --worker FD[,FD...]`. */
export const workerArgument = '--worker'

/** After standard streams and the channel. */
const firstWorkerFd = 4
