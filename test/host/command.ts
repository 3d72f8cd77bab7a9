import { spawn } from 'node:child_process'
import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

export type Result = { code: number; stdout: string; stderr: string }

/** `timeoutMs` defaults to one minute. */
export type CommandOptions = { input?: string | Buffer; timeoutMs?: number }

const defaultTimeoutMs = 60_000

/** The checkout that this file, or what it was compiled to, belongs to. */
export const checkout = findCheckout(__dirname)

function findCheckout(directory: string): string {
  if (existsSync(join(directory, 'test/host/host'))) return directory
  const parent = dirname(directory)
  if (parent === directory) throw new Error(`test/host/host was expected in a folder above ${__dirname} and is in none`)
  return findCheckout(parent)
}

/** Starts `test/host/host` in a process group of its own; `kill` of the child signals the whole group, because
 * the command inside a host is a grandchild that would outlive its parent. */
export function spawnHostCommand(parameters: string[], options: SpawnOptions = {}): ChildProcess {
  const child = spawn(join(checkout, 'test/host/host'), parameters, { ...options, cwd: checkout, detached: true })
  child.kill = (signal = 'SIGTERM') => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return false
    try {
      return process.kill(-child.pid, signal)
    } catch {
      return false
    }
  }
  return child
}

/** Runs `test/host/host`. Throws only where it did not end by itself within `timeoutMs`, or could not be started. */
export function runHostCommand(parameters: string[], options: CommandOptions = {}): Promise<Result> {
  const { input, timeoutMs = defaultTimeoutMs } = options
  return new Promise((resolve, reject) => {
    const child = spawnHostCommand(parameters, { stdio: ['pipe', 'pipe', 'pipe'] })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
      // A daemon that left the process group may hold the pipes open for ever.
      child.stdout?.destroy()
      child.stderr?.destroy()
    }, timeoutMs)
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk))
    // The command may end without reading its input.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
    child.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      const result = { code: code ?? -1, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }
      if (timedOut) reject(new Error(described(`was not done within ${timeoutMs} ms`, parameters, result)))
      else if (signal) reject(new Error(described(`was ended by ${signal}`, parameters, result)))
      else resolve(result)
    })
  })
}

/** Standard output of `test/host/host`; throws an Error with command, status and output if the status is not 0. */
export async function hostCommand(parameters: string[], options: CommandOptions = {}): Promise<string> {
  const result = await runHostCommand(parameters, options)
  if (result.code !== 0) throw new Error(described(`ended with status ${result.code}, expected 0`, parameters, result))
  return result.stdout
}

function described(what: string, parameters: string[], { stdout, stderr }: Result): string {
  return `test/host/host ${parameters.join(' ')}\n${what}\nstdout: ${stdout.trimEnd()}\nstderr: ${stderr.trimEnd()}`
}
