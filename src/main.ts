#!/usr/bin/node
import { exitStatus, isExitError } from './exit.js'
import { stderrIsJournal, withPriority } from './journal.js'
import { release } from './release.js'

const usage = `Usage: fastapi-health COMMAND [OPTION...]

Commands:
  serve      answer GET /health on the sockets that systemd passed (fastAPI-unix.service runs this)
  check      ask the socket for its health
  doctor     look for everything that can be wrong, and say which command mends it
  nginx      switch the site in nginx on or off, or say how it is
  releases   list, roll back, history of what was installed

Options:
  --help     show this text; COMMAND --help shows that of a command
  --version  show the release

fastapi-health(8) says more.
`

type Command = (args: string[]) => void | Promise<void>

// require() inside a function, not import: a bundled module runs when it is first required, so a command pays
// at its start for nothing but itself.
const commands: Record<string, () => Command> = {
  serve: () => (require('./serve/index.js') as typeof import('./serve/index.js')).serve,
  check: () => (require('./admin/check.js') as typeof import('./admin/check.js')).check,
  doctor: () => (require('./admin/doctor.js') as typeof import('./admin/doctor.js')).doctor,
  nginx: () => (require('./admin/nginx/command.js') as typeof import('./admin/nginx/command.js')).nginx,
  releases: () => (require('./admin/releases.js') as typeof import('./admin/releases.js')).releases
}

async function main([name, ...args]: string[]): Promise<void> {
  if (name === '--version') {
    process.stdout.write(`${release}\n`)
    return
  }
  if (name === '--help') {
    process.stdout.write(usage)
    return
  }
  const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) {
    const expected = `expected one of ${Object.keys(commands).join(', ')}, --version, --help`
    process.stderr.write(`fastapi-health: ${expected}, got ${name === undefined ? 'no command' : `"${name}"`}\n\n${usage}`)
    process.exitCode = exitStatus.usage
    return
  }
  await command()(args)
}

/** The priority of an error, syslog(3). */
const err = 3

main(process.argv.slice(2)).catch((error: unknown) => {
  const cause = error instanceof Error && !isExitError(error) ? error.stack : (error as Error).message
  const text = `fastapi-health: ${cause}\n`
  process.stderr.write(stderrIsJournal(process.env) ? withPriority(err, text) : text)
  // At once, not by exitCode: whatever was started before the failure must not live on.
  process.exit(isExitError(error) ? error.exitStatus : exitStatus.failed)
})
