import { createServer, request, type IncomingHttpHeaders } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { createApp } from '../../../src/serve/app.js'
import type { HealthLimits } from '../../../src/serve/settings.js'

export interface Answer {
  status: number | undefined
  headers: IncomingHttpHeaders
  body: string
}

export interface App {
  /** The level of each entry that was logged. */
  logged: string[]
  ask: (method: string, path: string, headers?: Record<string, string>) => Promise<Answer>
}

/** Limits that are all off, as by default. */
export const noLimits: HealthLimits = { eventLoopDelayWarnMs: 0, diskFreeWarnPercent: 0, memoryFreeWarnPercent: 0 }

/** The application on a socket of its own, until the test ends. */
export async function startApp(t: ExecutionContext, limits = noLimits): Promise<App> {
  const logged: string[] = []
  const levels = ['debug', 'info', 'warn', 'error', 'fatal']
  const log = Object.fromEntries(levels.map((level) => [level, () => void logged.push(level)]))
  const app = createApp({ ...log, debugs: true } as never, limits)
  const folder = mkdtempSync(join(tmpdir(), 'fastapi-health-'))
  const socketPath = join(folder, 'app.sock')
  const server = createServer(app.callback()).listen(socketPath)
  await new Promise((resolve) => server.once('listening', resolve))
  t.teardown(() => {
    server.close()
    rmSync(folder, { recursive: true })
  })
  return {
    logged,
    ask: (method, path, headers = {}) =>
      new Promise((resolve, reject) => {
        request({ socketPath, method, path, headers, agent: false }, (response) => {
          let body = ''
          response.on('data', (chunk: Buffer) => (body += chunk.toString()))
          response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }))
        })
          .on('error', reject)
          .end()
      })
  }
}
