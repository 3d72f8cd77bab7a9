import { exitError, exitStatus } from '../exit.js'
import type { Notify } from './notify.js'
import type { WorkerMessage } from './workers.js'

/** What a worker has of its supervisor in the place of systemd. */
export interface Supervisor {
  socketFds: number[]
  notify: Notify
  /** Tells whether anybody has been connected within the idle time; leaving is for all workers to do together. */
  sayIdle(idle: boolean): void
}

/**
 * Takes over the sockets named by `serve --worker FD[,FD...]`, and calls `onGone` once the supervisor is gone.
 *
 * @throws exitError 64 where the process was not started by a supervisor.
 */
export function takeSupervisor(fds: string | undefined, onGone: () => void): Supervisor {
  if (process.send === undefined || !/^\d+(,\d+)*$/.test(fds ?? '')) {
    throw exitError(exitStatus.usage, 'serve --worker is for the service itself, where WORKERS is more than 1')
  }
  process.on('disconnect', onGone)
  const say = (message: WorkerMessage): void => {
    // Between the supervisor's end and the event that tells of it there is nobody to tell anything.
    if (process.connected) process.send?.(message, undefined, undefined, () => {})
  }
  return {
    socketFds: (fds ?? '').split(',').map(Number),
    notify: (...assignments) => say({ assignments }),
    sayIdle: (idle) => say({ idle })
  }
}
