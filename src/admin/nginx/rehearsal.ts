import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../run.js'
import { writeText, type Change } from './files.js'

/** Changes written aside, where nobody reads them yet. */
export interface Rehearsal {
  /**
   * What nginx would say of its configuration if the changes were made; undefined where it would accept it, and where
   * that cannot be known: a container may be allowed no namespace of its own.
   */
  test(): Promise<string | undefined>
  /** The changes as `diff -u` shows them. */
  diff(): Promise<string>
}

// In a mount namespace of its own nginx sees the new files in the places of the old ones, whatever includes them and
// from where; the host sees nothing of it.
const testScript = `
while [ $# -gt 0 ]; do
  mount --bind "$1" "$2" || exit 125
  shift 2
done
exec nginx -t -q`

/** Calls `act` with the changes written aside, and removes them afterwards. */
export async function rehearse<T>(changes: Change[], act: (rehearsal: Rehearsal) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'fastapi-health-'))
  try {
    const staged = await Promise.all(
      changes.map(async ({ path, after }, index) => {
        const aside = join(folder, String(index))
        await writeText(aside, after, 'wx')
        return { path, aside }
      })
    )
    return await act({
      async test() {
        const mounts = staged.flatMap(({ path, aside }) => [aside, path])
        const { status, stderr, problem } = await run('unshare', ['--mount', 'sh', '-c', testScript, 'sh', ...mounts])
        if (status === 0 || status === 125 || stderr.startsWith('unshare: ')) return undefined
        return problem ?? stderr.trim()
      },
      async diff() {
        const shown = staged.map(async ({ path, aside }) => {
          const { stdout, stderr, problem } = await run('diff', ['-u', '--label', path, '--label', `${path} (new)`, path, aside])
          return problem === undefined ? stdout + stderr : `${problem}\n`
        })
        return (await Promise.all(shown)).join('')
      }
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
