import { spawn, type ChildProcess } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { request, type IncomingHttpHeaders, type RequestOptions } from 'node:http'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'

/** The built bundle as a real process. */
export interface Service {
  child: ChildProcess
  socketPath: string
  /** Everything it wrote on standard error so far. */
  log: () => string
  /** Resolves with its exit status, or the name of the signal that ended it. */
  ended: Promise<number | string>
}

/** The node that runs the bundle: SERVICE_NODE, or the one that runs the tests. */
export const node = process.env['SERVICE_NODE'] ?? process.execPath

/** A folder of its own for one test, with the one file that is shipped; removed when the test ends. */
export function newFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'fastapi-health-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  copyFileSync('build/bundle/index.js', join(folder, 'index.js'))
  return folder
}

/**
 * Starts `serve` by systemd-socket-activate, the reference implementation of the protocol: it passes the listening
 * socket and becomes the service at the first connection, which this makes.
 */
export async function activateService(t: ExecutionContext, settings: Record<string, string> = {}): Promise<Service> {
  const folder = newFolder(t)
  const socketPath = join(folder, 'service.sock')
  const pass = Object.keys(settings).flatMap((name) => ['-E', name])
  const command = ['systemd-socket-activate', '-l', socketPath, '--fdname=fastAPI', ...pass, node, join(folder, 'index.js'), 'serve']
  const service = start(t, command, settings, socketPath)
  while (!service.log().includes('Listening on')) await sleep(5)
  const first = createConnection(socketPath)
  first.on('error', () => {})
  await ask(service, 'GET', '/health')
  first.destroy()
  return service
}

/** Starts `serve` with its development listener on a Unix socket and waits until it answers. */
export async function developService(t: ExecutionContext, settings: Record<string, string> = {}): Promise<Service> {
  const folder = newFolder(t)
  const socketPath = join(folder, 'service.sock')
  const service = start(t, [node, join(folder, 'index.js'), 'serve'], { LISTEN: socketPath, ...settings }, socketPath)
  await untilAnswered(service)
  return service
}

/** Runs `command` with nothing in its environment but PATH and `env`. */
export function start(t: ExecutionContext, command: string[], env: Record<string, string>, socketPath = ''): Service {
  const [file = '', ...args] = command
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env['PATH'], ...env } })
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const ended = new Promise<number | string>((resolve) => child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown')))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, socketPath, log: () => log, ended }
}

async function untilAnswered(service: Service): Promise<void> {
  for (;;) {
    try {
      await ask(service, 'GET', '/health')
      return
    } catch (error) {
      if (service.child.exitCode !== null) throw new Error(`expected a service that serves, it ended: ${service.log()}`, { cause: error })
      await sleep(10)
    }
  }
}

export interface Answer {
  status: number | undefined
  headers: IncomingHttpHeaders
  body: string
}

/** One request, on a connection of its own unless `options.agent` says otherwise. */
export function ask(service: Service, method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request({ socketPath: service.socketPath, method, path, agent: false, ...options }, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => (body += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }))
      response.on('error', reject)
    })
      .on('error', reject)
      .end()
  })
}
