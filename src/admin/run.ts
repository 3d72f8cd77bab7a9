import { spawn } from 'node:child_process'

/** What a program did. `status` is undefined where it did not end by itself: `problem` says why, in a few words. */
export interface Ran {
  status: number | undefined
  stdout: string
  stderr: string
  problem?: string
}

/** Bytes of each stream that are kept; a program that writes more is ended. */
const mostBytes = 16 * 1024 * 1024

/**
 * Runs a program without a shell, in the C locale, so that its words can be read, and without a terminal or a pager.
 * Never throws: a program that is not there, or takes longer than `timeoutMs` and is killed, is told by `problem`.
 */
export function run(program: string, args: string[], timeoutMs = 10_000): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin', LC_ALL: 'C', SYSTEMD_PAGER: '', SYSTEMD_COLORS: '0' }
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    let length = 0
    let problem: string | undefined
    const timer = setTimeout(() => end(`${program} did not end within ${timeoutMs / 1000} s`), timeoutMs)

    function end(why: string): void {
      problem ??= why
      child.kill('SIGKILL')
      // A grandchild may hold the pipes open for ever.
      child.stdout.destroy()
      child.stderr.destroy()
    }
    function keep(chunks: Buffer[], chunk: Buffer): void {
      length += chunk.length
      if (length > mostBytes) end(`${program} wrote more than ${mostBytes} bytes`)
      else chunks.push(chunk)
    }
    child.stdout.on('data', (chunk: Buffer) => keep(stdout, chunk))
    child.stderr.on('data', (chunk: Buffer) => keep(stderr, chunk))
    child.on('error', (error: NodeJS.ErrnoException) => {
      problem ??= error.code === 'ENOENT' ? `${program} is not installed` : `${program} cannot be run: ${error.message}`
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (code === null || code < 0) problem ??= `${program} was ended by ${signal ?? 'an unknown cause'}`
      resolve({
        status: problem === undefined ? (code ?? undefined) : undefined,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
        ...(problem === undefined ? {} : { problem })
      })
    })
  })
}
