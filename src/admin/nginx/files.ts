import { open, readFile, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { run } from '../run.js'

/** One file and what it shall become, as text of one character a byte: what is not touched comes back as it was. */
export interface Change {
  path: string
  before: string
  after: string
}

const oneByteEach = 'latin1'

/** The text of a file, one character a byte, or undefined where it is not there. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, oneByteEach)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Replaces the content of `path` in one step: whoever reads it sees the old text or the new, never a part. Mode,
 * owner and other attributes stay, and a symbolic link goes on pointing to the same file.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const target = await realpath(path)
  // A name that no include of nginx matches.
  const fresh = join(dirname(target), `.${basename(target)}.fastapi-health-${process.pid}`)
  try {
    const copied = await run('cp', ['--preserve=all', '--', target, fresh])
    if (copied.status !== 0) throw new Error(copied.problem ?? copied.stderr.trim())
    await writeText(fresh, text, 'r+')
    await rename(fresh, target)
  } catch (error) {
    await rm(fresh, { force: true })
    throw error
  }
}

/** Writes `text` into `path` and to the disk. */
export async function writeText(path: string, text: string, flags: 'wx' | 'r+'): Promise<void> {
  const file = await open(path, flags)
  try {
    await file.truncate()
    await file.writeFile(text, oneByteEach)
    await file.sync()
  } finally {
    await file.close()
  }
}
