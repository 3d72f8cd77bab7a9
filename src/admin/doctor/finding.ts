/** `fail`: requests fail, or will. `warn`: it works now and will hurt later. `skipped`: could not, or need not, be looked at. */
export type Verdict = 'ok' | 'warn' | 'fail' | 'skipped'

/** What one check found. */
export interface Finding {
  /** The name of the check; names are API, for scripts that read --json. */
  check: string
  verdict: Verdict
  /** What was seen; where skipped, why it was not looked at. */
  evidence: string
  /** One line for a root shell after which the check finds nothing wrong. */
  mend?: string
}

/** A check looks at one thing and may find several. It changes nothing. */
export type Check = (scene: Scene) => Promise<Finding[]>

/** What more than one check needs, looked at once. */
export interface Scene {
  /** Of who asks. */
  uid: number
  /** Properties of systemd.directives(7) as `systemctl show` names them; undefined where systemd does not answer. */
  units: { socket: Unit; service: Unit; watch: Unit; nginx: Unit } | undefined
  /** Why there are no units. */
  unitsProblem: string
  /** Where clients connect: that of the socket unit in force, or the package's. */
  socketPath: string
  /** Where clients connect if a drop-in has put the socket on TCP alone; there is no file then. */
  tcpUrl: URL | undefined
  /** Whether nginx is meant to serve, so that its absence is a fault (--nginx). */
  nginxWanted: boolean
}

/** A unit's properties; one that is printed several times has a line for each. */
export type Unit = Record<string, string | undefined>

export const socketUnit = 'fastAPI-unix.socket'
export const serviceUnit = 'fastAPI-unix.service'
/** Makes the socket's file anew where somebody deletes it; started with the socket. */
export const watchUnit = 'fastAPI-unix-watch.path'
export const envFile = '/etc/fastAPI/fastAPI.env'

/** A finding of `check`; `mend` only where there is one command that mends it. */
export function finding(check: string, verdict: Verdict, evidence: string, mend?: string): Finding {
  return mend === undefined ? { check, verdict, evidence } : { check, verdict, evidence, mend }
}
