import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { threadId } from 'node:worker_threads'
import { hostCommand, runHostCommand, spawnHostCommand } from './command.js'
import type { CommandOptions, Result } from './command.js'

export type RunOptions = CommandOptions & { user?: string }
export type PushOptions = { mode?: string; owner?: string }

export type Host = {
  readonly name: string
  /** Its root directory as seen from outside; without what is mounted inside, such as /run and /tmp. */
  readonly root: string
  /** Pid, outside, of its init; another one after each boot. */
  readonly initPid: number
  /** Runs a command by `bash -c`; throws only if it takes longer than `timeoutMs` (a minute). */
  run(command: string, options?: RunOptions): Promise<Result>
  /** Standard output of a command; throws with command, status and output if the status is not 0. */
  sh(command: string, options?: RunOptions): Promise<string>
  /** Starts a command that goes on; `kill` of the child reaches all its processes. */
  spawn(command: string, options?: SpawnOptions & { user?: string }): ChildProcess
  /** Copies a file into it; folders are made. `mode` as for chmod (default 644), `owner` as for chown. */
  push(localPath: string, remotePath: string, options?: PushOptions): Promise<void>
  /** Writes a file in it; folders are made. */
  write(remotePath: string, content: string | Buffer, options?: PushOptions): Promise<void>
  /** Shuts down in good order and boots again. */
  reboot(): Promise<void>
  /** Cuts the power; `boot` starts it again with the files it had. */
  kill(): Promise<void>
  boot(): Promise<void>
  /** Takes it away. */
  stop(): Promise<void>
}

// The first boot may have to build the base.
const bootTimeoutMs = 300_000
const bootAgainTimeoutMs = 120_000

let booted = 0

/** Boots a fresh host, which is taken away by `stop`, or, once this process is gone, by the next boot of any host.
 * Throws if it does not come up within five minutes, of which building the base takes most. */
export async function bootHost(options: { name?: string; bench?: boolean } = {}): Promise<Host> {
  const name = options.name ?? `t${process.pid}-${threadId}-${++booted}`
  const bootParameters = ['boot', name, '--owner', String(process.pid), ...(options.bench ? ['--bench'] : [])]
  const bootNow = async (timeoutMs: number) => {
    const [, initPid = '', root = ''] = (await hostCommand(bootParameters, { timeoutMs })).trimEnd().split('\t')
    return { initPid: Number(initPid), root }
  }
  const runParameters = (command: string, user = 'root') => ['run', name, '--user', user, '--', 'bash', '-c', command]

  const first = await bootNow(bootTimeoutMs)
  let initPid = first.initPid

  const host: Host = {
    name,
    root: first.root,
    get initPid() {
      return initPid
    },
    run: (command, { user, ...rest } = {}) => runHostCommand(runParameters(command, user), rest),
    sh: (command, { user, ...rest } = {}) => hostCommand(runParameters(command, user), rest),
    spawn: (command, { user, ...rest } = {}) => spawnHostCommand(runParameters(command, user), rest),
    async push(localPath, remotePath, pushOptions) {
      await host.write(remotePath, await readFile(localPath), pushOptions)
    },
    async write(remotePath, content, { mode = '644', owner = 'root:root' } = {}) {
      const [directory, path] = [quoted(dirname(remotePath)), quoted(remotePath)]
      const command = `mkdir -p ${directory} && cat > ${path} && chmod ${quoted(mode)} ${path} && chown ${quoted(owner)} ${path}`
      await host.sh(command, { input: content })
    },
    async reboot() {
      await hostCommand(['poweroff', name])
      await host.boot()
    },
    async kill() {
      await hostCommand(['kill', name])
    },
    async boot() {
      initPid = (await bootNow(bootAgainTimeoutMs)).initPid
    },
    async stop() {
      await hostCommand(['stop', name, '--now'])
    }
  }
  return host
}

/** A word that bash takes literally. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}
