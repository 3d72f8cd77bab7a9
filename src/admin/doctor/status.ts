import { lstat, stat } from 'node:fs/promises'
import type { Stats } from 'node:fs'
import { run } from '../run.js'

/** Of what is at `path`, following links; undefined where nothing is, or nothing may be seen. */
export async function statusOf(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined)
}

/** Whether there is anything at `path`, be it a dangling link. */
export async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined
}

/** The mode's permission bits, as chmod takes them. */
export function octal({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, '0')
}

/** Names of the user and the group with these ids; the ids themselves where they have none. */
export async function ownerNames({ uid, gid }: Stats): Promise<{ user: string; group: string }> {
  const [user, group] = await Promise.all([nameOf('passwd', uid), nameOf('group', gid)])
  return { user, group }
}

async function nameOf(database: string, id: number): Promise<string> {
  const { stdout } = await run('getent', [database, String(id)])
  return stdout.split(':')[0] || String(id)
}
