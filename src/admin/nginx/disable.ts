import { exitError, exitStatus } from '../../exit.js'
import { makeChanges, showChanges } from './change.js'
import { readConfiguration } from './configuration.js'
import { readText, type Change } from './files.js'
import { removeInclude } from './include-line.js'
import { includeDirective, nginxConf, siteFile } from './paths.js'
import { restoreSite } from './site.js'

/**
 * Undoes what enable did: both files are byte for byte what they were before it.
 *
 * @throws exitError 1 where nginx does not take it, or where a person switched the site on by a line of their own.
 */
export async function disable(dryRun: boolean): Promise<void> {
  const changes = [...(await planned(nginxConf, removeInclude)), ...(await planned(siteFile, restoreSite))]
  if (changes.length > 0 && dryRun) {
    process.stdout.write(await showChanges(changes))
    return
  }
  if (changes.length > 0) {
    const running = await makeChanges(changes)
    for (const { path } of changes) process.stdout.write(`Restored ${path}.\n`)
    process.stdout.write(running ? 'nginx was tested and reloaded.\n' : 'nginx was tested; it does not run.\n')
  }
  const reading = await readConfiguration()
  if ('configuration' in reading && reading.configuration.files.includes(siteFile)) {
    throw exitError(
      exitStatus.failed,
      `the site is still on, by a line that this command did not write; find it: grep -rn 'fastAPI' /etc/nginx\nIt may read: ${includeDirective}`
    )
  }
  if (changes.length === 0) process.stdout.write('The site is off already; nothing to change.\n')
}

async function planned(path: string, undo: (text: string) => string): Promise<Change[]> {
  const before = await readText(path)
  const after = undo(before ?? '')
  return before === undefined || before === after ? [] : [{ path, before, after }]
}
