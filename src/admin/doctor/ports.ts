import { readdir, readFile, readlink } from 'node:fs/promises'

/** Who holds a TCP port. */
export interface Holder {
  pid: number
  program: string
  /** The systemd service that it belongs to, or undefined. */
  unit: string | undefined
}

/** TCP_LISTEN of include/net/tcp_states.h, as proc_net_tcp shows it. */
const listening = '0A'

/** The process that listens on a TCP port, of any address; needs root to see the processes of others. */
export async function portHolder(port: number): Promise<Holder | undefined> {
  const inodes = new Set((await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((path) => inodesOf(path, port)))).flat())
  if (inodes.size === 0) return undefined
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const fds = await readdir(`/proc/${pid}/fd`).catch(() => [])
    for (const fd of fds) {
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')
      if (!inodes.has(target)) continue
      const [program, cgroup] = await Promise.all(['comm', 'cgroup'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')))
      const unit = /^0::\/system\.slice\/(?:.*\/)?([^/\n]+\.service)/m.exec(cgroup ?? '')?.[1]
      return { pid: Number(pid), program: (program ?? '').trim(), unit }
    }
  }
  return undefined
}

/** "socket:[INODE]" of each listening socket on `port`. */
async function inodesOf(path: string, port: number): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(wanted) === true && fields[3] === listening)
    .map((fields) => `socket:[${fields[9]}]`)
}
