import { exitError, exitStatus } from '../../exit.js'
import { makeChanges, showChanges } from './change.js'
import { readConfiguration } from './configuration.js'
import { nginxState } from './control.js'
import { readText, type Change } from './files.js'
import { addInclude, includeLine } from './include-line.js'
import { nginxConf, siteFile } from './paths.js'
import { probe } from './probe.js'
import { setSite, type SiteOptions } from './site.js'

/**
 * Switches the site on: one include line in nginx.conf, and what `options` sets in the site itself.
 *
 * @throws exitError 1 where nginx is not there or does not take it; nothing has changed then.
 */
export async function enable(options: SiteOptions, dryRun: boolean): Promise<void> {
  if ((await nginxState()) === 'missing') {
    throw exitError(exitStatus.failed, 'nginx is not installed; to install it: pacman -S nginx')
  }
  const changes = await changesFor(options)
  if (changes.length === 0) {
    process.stdout.write('The site is on already; nothing to change.\n')
    return
  }
  if (dryRun) {
    process.stdout.write(await showChanges(changes))
    return
  }
  const running = await makeChanges(changes)
  for (const { path } of changes) process.stdout.write(`Changed ${path}.\n`)
  if (running) process.stdout.write(`nginx was tested and reloaded.\n${await probe()}\n`)
  else process.stdout.write('nginx was tested; it does not run. To start it: systemctl enable --now nginx.service\n')
}

async function changesFor(options: SiteOptions): Promise<Change[]> {
  const [conf, site] = await Promise.all([mustRead(nginxConf, 'nginx'), mustRead(siteFile, 'fastapi-health')])
  const changes = [
    { path: siteFile, before: site, after: setSite(site, options) },
    { path: nginxConf, before: conf, after: includeLine(conf) === undefined && (await isIncluded()) ? conf : addInclude(conf) }
  ]
  return changes.filter(({ before, after }) => before !== after)
}

/** Whether the site takes part already, by a line that a person wrote. */
async function isIncluded(): Promise<boolean> {
  const reading = await readConfiguration()
  return 'configuration' in reading && reading.configuration.files.includes(siteFile)
}

async function mustRead(path: string, packageName: string): Promise<string> {
  const text = await readText(path)
  if (text !== undefined) return text
  throw exitError(exitStatus.failed, `expected ${path}, there is none; the package ${packageName} brings it: pacman -S ${packageName}`)
}
