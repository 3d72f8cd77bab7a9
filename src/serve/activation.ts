import { fstatSync } from 'node:fs'
import { exitError, exitStatus } from '../exit.js'

/** SD_LISTEN_FDS_START of sd_listen_fds(3). */
const firstFd = 3

/** FileDescriptorName= of fastAPI-unix.socket. */
const socketName = 'fastAPI'

/** The name that OpenFile= of fastAPI-unix.service gives to systemd's notification socket. */
const notifyName = 'notify'

/** What systemd handed over: listening sockets, and the socket that notifications go to. */
export interface Activation {
  socketFds: number[]
  notifyFd: number | undefined
}

/**
 * Takes over the file descriptors that systemd passed, by the protocol of sd_listen_fds(3), and deletes LISTEN_*
 * from `env`, so that no child takes them for its own. `socketFds` is empty where none were passed.
 *
 * @throws exitError 1 where what was passed is not meant for this process, or holds no socket of ours.
 */
export function takeActivation(env: NodeJS.ProcessEnv, pid: number): Activation {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = env
  delete env['LISTEN_PID']
  delete env['LISTEN_FDS']
  delete env['LISTEN_FDNAMES']
  delete env['LISTEN_PIDFDID']
  if (LISTEN_PID === undefined && LISTEN_FDS === undefined) return { socketFds: [], notifyFd: undefined }

  if (LISTEN_PID !== String(pid)) {
    throw activationError(`LISTEN_PID: expected this process, ${pid}, got ${show(LISTEN_PID)}: the sockets are another process's`)
  }
  const count = /^\d{1,4}$/.test(LISTEN_FDS ?? '') ? Number(LISTEN_FDS) : 0
  if (count === 0) throw activationError(`LISTEN_FDS: expected the number of sockets passed, got ${show(LISTEN_FDS)}`)

  const names = (LISTEN_FDNAMES ?? '').split(':')
  const fds = Array.from({ length: count }, (_, index) => ({ fd: firstFd + index, name: names[index] ?? '' }))
  const socketFds = fds.filter(({ name }) => name === socketName).map(({ fd }) => fd)
  const notifyFd = fds.find(({ name }) => name === notifyName)?.fd
  if (socketFds.length === 0) {
    // OpenFile= alone: the service was started without its socket, which is no way to serve anyone.
    throw activationError(
      `LISTEN_FDNAMES: expected a socket named ${socketName} (FileDescriptorName= of the socket unit), got ${show(LISTEN_FDNAMES)}`
    )
  }
  for (const fd of socketFds) {
    if (!isSocket(fd)) throw activationError(`expected file descriptor ${fd} to be a listening socket, it is none`)
  }
  return { socketFds, notifyFd }
}

function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket()
  } catch {
    return false // EBADF: LISTEN_FDS promised more than was passed
  }
}

function show(value: string | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value)
}

function activationError(problem: string): Error {
  return exitError(exitStatus.failed, `${problem}\nStart it by fastAPI-unix.socket, or without any LISTEN_ variable.`)
}
