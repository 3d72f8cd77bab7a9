import { exitStatus } from '../../exit.js'
import { readConfiguration, serverFor, type Configuration } from './configuration.js'
import { nginxState } from './control.js'
import { readText } from './files.js'
import { includeLine } from './include-line.js'
import { nginxConf, siteFile } from './paths.js'
import { probe } from './probe.js'

/** Says how nginx and the site are; ends with 0 where the site is on and nginx runs, with 1 otherwise. */
export async function status(): Promise<void> {
  const state = await nginxState()
  const reading = await readConfiguration()
  const lines = [`nginx: ${state === 'missing' ? 'not installed' : state}`]
  let on = false
  if ('configuration' in reading) {
    const { configuration } = reading
    on = configuration.files.includes(siteFile)
    lines.push(`site: ${on ? `on, by ${await switchedOnBy()}` : 'off; to switch it on: fastapi-health nginx enable'}`)
    if (on) lines.push(...describe(configuration))
    if (on && state === 'running') lines.push(await probe())
  } else if (state !== 'missing') {
    lines.push(`configuration: broken, says nginx:\n${reading.problem}`)
  }
  process.stdout.write(`${lines.join('\n')}\n`)
  if (!on || state !== 'running') process.exitCode = exitStatus.failed
}

async function switchedOnBy(): Promise<string> {
  const line = includeLine((await readText(nginxConf)) ?? '')
  return line === undefined ? 'a line that a person wrote' : `${nginxConf}:${line}`
}

function describe({ servers }: Configuration): string[] {
  return servers
    .filter(({ file }) => file === siteFile)
    .flatMap((server) => [
      `listens on: ${server.listens.map(({ address, port }) => (address === '*' ? port : `${address}:${port}`)).join(', ')}`,
      `answers to: ${server.names.join(', ')}`,
      ...server.listens.flatMap(({ address, port }) => {
        const ip = address === '*' ? '127.0.0.1' : address.replace(/^\[|\]$/g, '')
        const first = serverFor(servers, ip, port, server.names[0] ?? '')
        return first === undefined || first === server ? [] : [`hidden on port ${port} by ${first.file}:${first.line}, which has the same name`]
      })
    ])
}
