import { join } from 'node:path'
import { checkout } from './command.js'
import { bootHost, quoted, type Host } from './host.js'
import { pacmanU, pushPackage } from './pacman.js'
import { test } from './test.js'

let host: Host

/** What `--help` says there is: the commands, and of each its actions and options. */
const commands: Record<string, { actions: string[]; options: string[]; help: string }> = {}

test.before(async (t) => {
  t.timeout(600_000)
  host = await bootHost()
  await pacmanU(host, await pushPackage(host))
  await host.push(join(checkout, 'test/host/complete.zsh'), '/root/complete.zsh')
  const usage = await host.sh('fastapi-health --help')
  for (const [, name = ''] of usage.matchAll(/^ {2}([a-z]+) {2,}/gm)) {
    const help = name === 'serve' ? '' : await host.sh(`fastapi-health ${name} --help`)
    const actions = [...help.matchAll(new RegExp(`(?:Usage:|^ +) fastapi-health ${name} ([a-z]+)`, 'gm'))].map(([, action = '']) => action)
    const options = [...help.matchAll(/--[a-z]+(?:-[a-z]+)*/g)].map(([option]) => option)
    commands[name] = { actions, options: help === '' ? [] : sorted([...options, '--help']), help }
  }
})

test.after.always(async () => {
  await host?.stop()
})

const sorted = (words: string[]) => [...new Set(words)].sort()
const lines = (text: string) => text.split('\n').filter((line) => line !== '')

test('every command has a --help, on standard output with status 0', (t) => {
  t.true(Object.keys(commands).length >= 4)
  for (const [name, { help }] of Object.entries(commands)) {
    if (name !== 'serve') t.regex(help, new RegExp(`^Usage: fastapi-health ${name} `))
  }
})

test('every option that --help names is one that the command knows', async (t) => {
  for (const [name, { options, actions, help }] of Object.entries(commands)) {
    for (const option of options) {
      const value = new RegExp(`${option} [A-Z]`).test(help) ? ' 1' : ''
      for (const action of actions.length > 0 ? actions.slice(0, 1) : ['']) {
        const { stderr } = await host.run(`fastapi-health ${name} ${action} ${option}${value} --help`)
        t.notRegex(stderr, /[Uu]nknown option|expected/, `${name} ${option}`)
      }
    }
  }
})

test('the manual page is found by man and by systemctl help, and formats without a warning', async (t) => {
  t.regex(await host.sh('man fastapi-health'), /^FASTAPI-HEALTH\(8\)/)
  t.regex(await host.sh('systemctl help fastAPI-unix.service fastAPI-unix.socket'), /^FASTAPI-HEALTH\(8\)/)
  t.is(await host.sh('man --warnings -E UTF-8 fastapi-health 2>&1 >/dev/null'), '')
})

test('the manual page tells of every command, action, option and setting', async (t) => {
  const page = await host.sh('MANWIDTH=200 man fastapi-health')
  for (const [name, { actions, options }] of Object.entries(commands)) {
    for (const action of actions.length > 0 ? actions : ['']) t.true(page.includes(`fastapi-health ${name} ${action}`.trimEnd()), `${name} ${action}`)
    for (const option of options) t.true(page.includes(option), `${name} ${option}`)
  }
  for (const [, setting = ''] of (await host.sh('cat /etc/fastAPI/fastAPI.env')).matchAll(/^#([A-Z_]+)=/gm)) t.true(page.includes(setting), setting)
})

/** What each shell offers at the end of a line. */
const shells: Record<string, (line: string) => Promise<string[]>> = {
  bash: async (line) => {
    const script = `. /usr/share/bash-completion/completions/fastapi-health
      COMP_LINE=${quoted(line)} COMP_WORDS=(${line}${line.endsWith(' ') ? ' ""' : ''}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
      _fastapi_health; printf '%s\\n' "\${COMPREPLY[@]}"`
    return lines(await host.sh(script))
  },
  zsh: async (line) => lines(await host.sh(`timeout 30 zsh -f /root/complete.zsh ${quoted(line)}`)),
  fish: async (line) => lines(await host.sh(`fish -c ${quoted(`complete -C ${quoted(line)}`)}`)).map((offer) => offer.replace(/\t.*/, ''))
}

for (const [shell, offers] of Object.entries(shells)) {
  test(`${shell} completes exactly the commands, actions and options that --help names`, async (t) => {
    t.timeout(120_000)
    const long = async (line: string) => sorted((await offers(line)).filter((offer) => offer.startsWith('--')))
    const words = async (line: string) => sorted((await offers(line)).filter((offer) => !offer.startsWith('-')))
    t.deepEqual(await words('fastapi-health '), sorted(Object.keys(commands)))
    t.deepEqual(await long('fastapi-health --'), ['--help', '--version'])
    for (const [name, { actions, options }] of Object.entries(commands)) {
      if (actions.length > 0) t.deepEqual(await words(`fastapi-health ${name} `), sorted(actions))
      const lists = await Promise.all((actions.length > 0 ? actions : ['']).map((action) => long(`fastapi-health ${name} ${action} --`.replace('  ', ' '))))
      t.deepEqual(sorted(lists.flat()), options, name)
    }
    t.deepEqual(await words('fastapi-health nginx en'), ['enable'])
    t.deepEqual((await offers('fastapi-health check /etc/fastAP')).map((path) => path.replace(/^.*etc\//, '').replace(/\/$/, '')), ['fastAPI'])
  })
}

test('colours are for terminals, and for nobody where NO_COLOR is set', async (t) => {
  const colour = /\x1b\[[\d;]+m/
  const onTerminal = async (environment: string) =>
    (await host.run(`${environment} TERM=xterm-256color script -qec 'fastapi-health doctor' /dev/null`)).stdout
  t.regex(await onTerminal(''), colour)
  t.notRegex(await onTerminal('NO_COLOR=1'), colour)
  for (const command of ['doctor', 'check', 'releases list', 'nginx status']) {
    t.notRegex((await host.run(`TERM=xterm-256color fastapi-health ${command} 2>&1`)).stdout, colour, command)
  }
})

test('what takes over a second says on a terminal what it waits for, and takes it back', async (t) => {
  await host.sh('systemctl stop fastAPI-unix.socket')
  const command = 'fastapi-health check --wait 2'
  const shown = (await host.run(`script -qec ${quoted(command)} /dev/null`)).stdout
  const piped = (await host.run(`${command} 2>&1`)).stdout
  await host.sh('systemctl start fastAPI-unix.socket')
  t.regex(shown, /^waiting for an answer\.\.\.\r\x1b\[KUNAVAILABLE: /)
  t.regex(piped, /^UNAVAILABLE: /)
})

test('the package has a licence by its SPDX name, its text, a changelog and this README', async (t) => {
  t.regex(await host.sh('pacman -Qi fastapi-health'), /^Licenses +: [A-Za-z0-9 .-]+$/m)
  await host.sh('test -s /usr/share/licenses/fastapi-health/LICENSE && test -s /usr/share/doc/fastapi-health/README.md')
  const version = (await host.sh('fastapi-health --version')).replace(/-.*\n/, '')
  t.regex(await host.sh('cat /usr/share/doc/fastapi-health/CHANGELOG.md'), new RegExp(`^## ${version.replaceAll('.', '\\.')}\\b`, 'm'))
})
