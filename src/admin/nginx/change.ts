import { exitError, exitStatus } from '../../exit.js'
import { withProgress } from '../progress.js'
import { nginxState, reloadNginx, testConfiguration } from './control.js'
import { replaceFile, type Change } from './files.js'
import { rehearse } from './rehearsal.js'

/**
 * Makes the changes if nginx accepts them, and has it reload where it runs; it is never restarted. Where it cannot
 * carry them out they are undone.
 *
 * @returns whether nginx runs, and so has the changes in force.
 * @throws exitError 1 with what nginx said; all files are as they were then.
 */
export async function makeChanges(changes: Change[]): Promise<boolean> {
  const refused = await rehearse(changes, ({ test }) => test())
  if (refused !== undefined) throw refusal(refused)
  const made: Change[] = []
  try {
    for (const change of changes) {
      await replaceFile(change.path, change.after)
      made.push(change)
    }
    // Once more in earnest: a rehearsal is not possible everywhere.
    const wrong = await testConfiguration()
    if (wrong !== undefined) throw refusal(wrong)
    if ((await nginxState()) !== 'running') return false
    const failed = await withProgress('waiting for nginx to reload', reloadNginx())
    if (failed === undefined) return true
    throw refusal(failed)
  } catch (error) {
    for (const { path, before } of made.reverse()) await replaceFile(path, before)
    throw error
  }
}

/** The changes as `diff -u` shows them, and whether nginx would accept them; nothing is changed. */
export async function showChanges(changes: Change[]): Promise<string> {
  return rehearse(changes, async ({ test, diff }) => {
    const refused = await test()
    if (refused !== undefined) throw refusal(refused)
    return diff()
  })
}

function refusal(cause: string): Error {
  return exitError(exitStatus.failed, `nginx does not take the configuration; nothing was changed:\n${cause}`)
}
