/** Exit statuses of the command line, from sysexits.h(3head) where it has one. They are API: never renumber them. */
export const exitStatus = {
  done: 0,
  failed: 1,
  usage: 64,
  unavailable: 69,
  noPermission: 77,
  config: 78
} as const

export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus]

/** An error whose message is written for the person at the terminal, with the status that the process ends with. */
export type ExitError = Error & { exitStatus: ExitStatus }

/** Makes the error that `main` prints without a stack and ends with `status` for. */
export function exitError(status: ExitStatus, message: string): ExitError {
  return Object.assign(new Error(message), { exitStatus: status })
}

/** Whether `error` was made by {@link exitError}: its message is for people, its stack is not. */
export function isExitError(error: unknown): error is ExitError {
  return error instanceof Error && 'exitStatus' in error
}
