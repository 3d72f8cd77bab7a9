import { existsSync } from 'node:fs'
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { bootHost, type Host } from './host.js'
import { putNode } from './nodes.js'
import { curlHealth, pacmanU, pushPackage, servingRelease } from './pacman.js'
import { test } from './test.js'

let host: Host
let newer = ''

const healthy = '{"status":"ok"}'
const service = 'fastAPI-unix.service'

test.before(async (t) => {
  t.timeout(600_000)
  host = await bootHost()
  newer = await pushPackage(host, { version: '1.1.0' })
  await pacmanU(host, await pushPackage(host, { version: '1.0.0' }))
})

test.after.always(async () => {
  await host?.stop()
})

const show = async (property: string) => (await host.sh(`systemctl show -P ${property} ${service}`)).trim()
const mainPid = async () => Number(await show('MainPID'))

/** A running service, as systemd set it up and undisturbed. */
async function fresh(t: ExecutionContext, dropIn = ''): Promise<number> {
  await host.sh(`rm -rf /run/systemd/system/${service}.d`)
  if (dropIn !== '') await host.write(`/run/systemd/system/${service}.d/fault.conf`, `[Service]\n${dropIn}\n`)
  await host.sh(`systemctl daemon-reload; systemctl restart ${service}`)
  t.is(await curlHealth(host), healthy)
  return mainPid()
}

/** Has node run `script` beside the service. */
async function freshWith(t: ExecutionContext, script: string, dropIn = ''): Promise<number> {
  await host.write('/usr/lib/fault.js', script)
  return fresh(t, `Environment=NODE_OPTIONS=--require=/usr/lib/fault.js\n${dropIn}`)
}

/** One client from now on: what it was answered, and after how long. */
async function client(): Promise<string> {
  const { stdout } = await host.run(
    "curl -sS -m 50 -w ' after %{time_total} s' --unix-socket /run/fastAPI/fastAPI.sock http://localhost/health 2>&1"
  )
  return stdout
}

/** What ended the service last, in the administrator's words: the newest lines of the journal that say so. */
async function journal(): Promise<string> {
  const lines = await host.sh(`journalctl --sync; journalctl -u ${service} -o cat --no-pager -n 40`)
  const telling = lines.split('\n').filter((line) => /Watchdog|process exited|Failed with|OOM|assignment/i.test(line))
  return telling.slice(-2).join(' / ').replaceAll(`${service}: `, '') || 'nothing'
}

/** One line of the table of faults, and that nothing was left to be reset by hand. */
async function concluded(t: ExecutionContext, fault: string, clients: string, administrator: string, ended: string): Promise<void> {
  t.log(`| ${fault} | ${clients} | ${administrator} | ${ended} |`)
  t.is((await host.run('systemctl is-failed fastAPI-unix.socket fastAPI-unix.service fastAPI-unix-watch.path')).stdout.includes('failed'), false)
  t.is(await curlHealth(host), healthy)
}

test('SIGKILL: who connects next is answered by another process', async (t) => {
  const pid = await fresh(t)
  await host.sh(`kill -KILL ${pid}`)
  const seen = await client()
  t.true(seen.startsWith(healthy), seen)
  t.not(await mainPid(), pid)
  await concluded(t, 'SIGKILL', seen, await journal(), 'started again by systemd')
})

const watchdog = process.env['PROOF'] === 'full' ? '' : 'WatchdogSec=2s'

test('SIGSTOP: the watchdog replaces the process, and who waits is answered', async (t) => {
  const pid = await fresh(t, watchdog)
  await host.sh(`kill -STOP ${pid}`)
  const seen = await client()
  t.true(seen.startsWith(healthy), seen)
  t.not(await mainPid(), pid)
  await concluded(t, `SIGSTOP (${watchdog || 'WatchdogSec as shipped'})`, seen, await journal(), 'killed by the watchdog, started again')
})

test('a blocked event loop: the watchdog replaces the process, and who waits is answered', async (t) => {
  const pid = await freshWith(t, "process.on('SIGUSR2', () => { for (;;); })", watchdog)
  await host.sh(`kill -USR2 ${pid}`)
  const seen = await client()
  t.true(seen.startsWith(healthy), seen)
  t.not(await mainPid(), pid)
  await concluded(t, `blocked event loop (${watchdog || 'WatchdogSec as shipped'})`, seen, await journal(), 'killed by the watchdog, started again')
})

test('the memory limit: the kernel ends the process, and who connects next is answered', async (t) => {
  const leak = "const held = []; process.on('SIGUSR2', () => setInterval(() => held.push(Buffer.alloc(8 << 20, 1)), 5))"
  // Where the host has no memory controller of its own, one of the machine's does the same.
  const ownController = (await host.sh('cat /sys/fs/cgroup/cgroup.controllers')).includes('memory')
  const pid = await freshWith(t, leak, 'MemoryMax=200M')
  const outside = join('/sys/fs/cgroup/memory', `${host.name}-limit`)
  if (!ownController) {
    t.true(existsSync('/sys/fs/cgroup/memory'), 'expected a memory controller, inside or outside')
    await mkdir(outside)
    await writeFile(join(outside, 'memory.limit_in_bytes'), '200M')
    await writeFile(join(outside, 'cgroup.procs'), String(await pidOutside(pid)))
  }
  await host.sh(`kill -USR2 ${pid}`)
  for (let tries = 0; (await mainPid()) === pid && tries < 100; tries++) await sleep(100)
  const seen = await client()
  t.true(seen.startsWith(healthy), seen)
  t.not(await mainPid(), pid)
  await concluded(t, 'memory limit reached', seen, await journal(), 'killed by the kernel, started again')
  if (!ownController) await rmdir(outside)
})

/** The pid, on the machine, of a process of the host. */
async function pidOutside(pid: number): Promise<number> {
  const children = async (parent: number): Promise<number[]> => {
    const text = await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8').catch(() => '')
    return text.split(' ').filter((word) => word !== '').map(Number)
  }
  for (const candidate of await children(host.initPid)) {
    const status = await readFile(`/proc/${candidate}/status`, 'utf8').catch(() => '')
    if (new RegExp(`^NSpid:.*\\t${pid}$`, 'm').test(status)) return candidate
  }
  throw new Error(`expected process ${pid} of the host among the children of ${host.initPid}`)
}

for (const [what, prepare] of [
  ['full', 'mount -t tmpfs -o size=64k,mode=755 tmpfs $d && chown --reference=/tmp/was $d && chmod --reference=/tmp/was $d && head -c 1M /dev/zero > $d/filled; true'],
  ['read-only', 'mount --bind $d $d && mount -o remount,bind,ro $d']
] as const) {
  test(`a disk that is ${what}: it starts and serves`, async (t) => {
    await fresh(t)
    await host.sh(`systemctl stop --no-warn ${service}`)
    for (const directory of ['/var/cache/fastAPI', '/var/lib/fastAPI', '/var/log/journal']) {
      await host.sh(`d=${directory}; rm -rf /tmp/was; mkdir /tmp/was; chown --reference=$d /tmp/was; chmod --reference=$d /tmp/was; ${prepare}`)
    }
    const seen = await client()
    t.true(seen.startsWith(healthy), seen)
    await host.sh(`systemctl restart ${service}`)
    t.is(await curlHealth(host), healthy)
    await host.sh(`systemctl stop --no-warn ${service}; umount /var/cache/fastAPI /var/lib/fastAPI /var/log/journal`)
    await concluded(t, `cache, state and journal directories ${what}`, seen, 'nothing', 'nothing to end')
  })
}

test('the directories of cache and state gone: it starts, serves, and makes its cache anew', async (t) => {
  await fresh(t)
  await host.sh(`systemctl stop --no-warn ${service}; rm -rf /var/cache/fastAPI /var/lib/fastAPI`)
  const seen = await client()
  t.true(seen.startsWith(healthy), seen)
  await concluded(t, 'cache and state directories deleted', seen, 'nothing', 'made anew at the next start')
})

test('a journal that hangs: a service that has much to say still answers', async (t) => {
  await fresh(t, 'Environment=LOG_LEVEL=debug')
  await host.sh('systemctl kill -s STOP systemd-journald.service')
  // More than the 8 MiB that systemd asks of the kernel for what is on its way to the journal.
  const url = `http://localhost/${'a'.repeat(8_000)}[1-3000]`
  const { code } = await host.run(`curl -sS -m 40 -o /dev/null --unix-socket /run/fastAPI/fastAPI.sock '${url}'`)
  const seen = await client()
  await host.sh('systemctl kill -s CONT systemd-journald.service')
  t.is(code, 0)
  t.true(seen.startsWith(healthy), seen)
  await concluded(t, 'journald hangs, 24 MB of lines to log', seen, 'lines past the buffer are lost', 'logs on when journald does')
})

test('a journal that is stopped: it serves, starts, and logs again when the journal is back', async (t) => {
  const pid = await fresh(t)
  await host.sh('systemctl stop systemd-journald.socket systemd-journald-dev-log.socket systemd-journald-audit.socket systemd-journald.service 2>&1; true')
  const running = await client()
  t.true(running.startsWith(healthy), running)
  t.is(await mainPid(), pid)
  await host.sh(`systemctl restart ${service}`)
  const seen = await client()
  t.true(seen.startsWith(healthy), seen)
  await host.sh('systemctl start systemd-journald.socket systemd-journald-dev-log.socket systemd-journald.service')
  await fresh(t, 'Environment=LOG_LEVEL=debug')
  t.regex(await host.sh(`journalctl --sync; journalctl -u ${service} -o cat -n 20 --no-pager`), /"msg":"ready"/)
  await concluded(t, 'journald stopped', seen, 'no lines meanwhile', 'logs again from the next start on')
})

for (const [what, prepare] of [
  ['missing', 'rm $f'],
  ['unreadable, mode 000', 'chmod 000 $f'],
  ['a directory', 'rm $f; mkdir $f'],
  ['binary rubbish', 'head -c 4096 /dev/urandom > $f'],
  ['binary rubbish with NUL and settings', "printf 'IDLE_TIMEOUT=30\\n\\0\\377\\376=\\001\\nLOG_LEVEL=info\\n' > $f"]
] as const) {
  test(`settings that are ${what}: it starts with the defaults`, async (t) => {
    await host.sh(`f=/etc/fastAPI/fastAPI.env; systemctl stop --no-warn ${service}; cp -a $f /root/env; ${prepare}`)
    const seen = await client()
    const said = await journal()
    await host.sh(`f=/etc/fastAPI/fastAPI.env; rm -rf $f; cp -a /root/env $f`)
    t.true(seen.startsWith(healthy), seen)
    await concluded(t, `settings ${what}`, seen, said, 'read at the next start')
  })
}

test('a clock that is years off, at a start or from one moment to the next: it serves, with the date of the clock', async (t) => {
  const library = (await host.sh('dpkg -L libfaketime | grep /libfaketime.so.1')).trim()
  // Below /usr/share, which the service can read; node:http keeps a date for a second.
  const file = '/usr/share/faketimerc'
  const setClock = (offset: string) => host.sh(`echo ${offset} > ${file}; sleep 1.1`)
  const year = async () => {
    const head = await host.sh('curl -sS -m 30 -D - -o /dev/null --unix-socket /run/fastAPI/fastAPI.sock http://localhost/health')
    return Number(/^Date: .*(\d{4}) /m.exec(head)?.[1])
  }
  const thisYear = new Date().getFullYear()
  await setClock('-30y')
  const pid = await fresh(t, `Environment=LD_PRELOAD=${library} FAKETIME_TIMESTAMP_FILE=${file} FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=1`)
  const years = [await year()]
  for (const offset of ['+30y', '-50y', '+0']) {
    await setClock(offset)
    t.is(await curlHealth(host), healthy)
    years.push(await year())
  }
  t.is(years.at(-1), thisYear)
  t.true(years.every((seen, index) => Math.abs(seen - thisYear - [-30, 30, -50, 0][index]!) <= 1), years.join())
  t.is(await mainPid(), pid)
  await concluded(t, "clock of the service's process years off and jumping", `answers dated ${years.join(', ')}`, 'nothing', 'nothing to end')
})

for (const [what, command] of [
  ['the socket file deleted', 'rm /run/fastAPI/fastAPI.sock'],
  ['/run/fastAPI deleted', 'rm -r /run/fastAPI'],
  ['/run/fastAPI moved away', 'rm -rf /run/gone; mv /run/fastAPI /run/gone'],
  ['the socket file replaced by a plain one', 'rm /run/fastAPI/fastAPI.sock; touch /run/fastAPI/fastAPI.sock']
] as const) {
  for (const running of what.includes('deleted') ? [true, false] : [true]) {
    test(`${what} while the service ${running ? 'runs' : 'does not run'}: it is there again by itself`, async (t) => {
      await fresh(t)
      if (!running) await host.sh(`systemctl stop --no-warn ${service}`)
      await host.sh(command)
      const wait = 'for i in {1..200}; do [[ -S /run/fastAPI/fastAPI.sock ]] && echo "there after ${i}0 ms at most" && exit; sleep 0.01; done; exit 1'
      const seen = await host.sh(wait)
      t.is(await host.sh('stat -c "%U %G %a" /run/fastAPI/fastAPI.sock'), 'fastapi http 660\n')
      const again = await client()
      t.true(again.startsWith(healthy), again)
      await concluded(t, `${what}, service ${running ? 'running' : 'off'}`, `no such file until it was ${seen.trim()}`, 'fastAPI-unix-repair.service in the journal', 'socket made anew by fastAPI-unix-watch.path')
    })
  }
}

test('nginx stopped and started: the service is left alone, and nginx finds it again', async (t) => {
  await host.sh('fastapi-health nginx enable; systemctl restart nginx.service')
  const through = "curl -sS -m 30 -H 'Host: fastapi.localhost' http://127.0.0.1/health 2>&1"
  const pid = await fresh(t)
  t.is(await host.sh(through), healthy)
  await host.sh('systemctl stop nginx.service')
  const seen = (await host.run(through)).stdout
  t.regex(seen, /^curl: \(7\)/)
  t.is(await curlHealth(host), healthy)
  await host.sh('systemctl start nginx.service')
  t.is(await host.sh(through), healthy)
  t.is(await mainPid(), pid)
  await concluded(t, 'nginx stopped and started', seen.trim(), "nginx's own lines", 'answers again once nginx runs')
  await host.sh('systemctl stop nginx.service')
})

test('node replaced while the service runs: it goes on, and the next one runs the new node', async (t) => {
  t.timeout(180_000)
  const pid = await fresh(t)
  await putNode(host, 22)
  t.is(await curlHealth(host), healthy)
  t.is(await mainPid(), pid)
  await host.sh(`systemctl restart ${service}`)
  const seen = await client()
  t.true(seen.startsWith(healthy), seen)
  t.regex(await host.sh(`readlink /proc/${await mainPid()}/exe; node --version`), /\/usr\/bin\/node\nv22\./)
  await concluded(t, 'node replaced by another version', seen, 'nothing', 'the next start runs the new one')
})

test('pacman killed in the middle of an upgrade: clients are answered, and the upgrade can be repeated', async (t) => {
  t.timeout(300_000)
  await fresh(t)
  const older = (await host.sh('ls /root/fastapi-health-1.0.0-*')).trim()
  const kills = process.env['PROOF'] === 'full' ? 60 : 8
  const outcomes = new Map<string, number>()
  const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  for (let kill = 0; kill < kills; kill++) {
    const running = kill % 2 === 0
    if (!running) await host.sh(`systemctl stop --no-warn ${service}`)
    const delay = (0.02 + (kill * 1.2) / kills).toFixed(3)
    await host.run(`pacman -U --noconfirm ${kill % 4 < 2 ? newer : older} >/tmp/killed.log 2>&1 & sleep ${delay}; kill -KILL $!; wait $!`)
    const seen = await host.run('curl -sS -m 5 --unix-socket /run/fastAPI/fastAPI.sock http://localhost/health')
    if (seen.stdout === healthy) count(`answered, service ${running ? 'running' : 'off'}`)
    // Killed while the one file was not there: who connects waits until it is.
    else if (seen.code === 28) count('waits')
    else t.fail(seen.stderr)
    // The lock is pacman's own, and its own message says to remove it.
    await host.sh('rm -f /var/lib/pacman/db.lck')
    // Killed between the old and the new entry of its database, pacman refuses to go on until half an entry is removed.
    const broken = 'for entry in /var/lib/pacman/local/fastapi-health-*; do [[ -s $entry/desc && -s $entry/files ]] || { rm -r $entry; echo $entry; }; done'
    if ((await host.sh(broken)) !== '') count("pacman's own database was left broken")
  }
  await pacmanU(host, "--overwrite '*'", newer)
  t.is(await servingRelease(host), '1.1.0-1')
  t.regex(await host.sh('LC_ALL=C pacman -Qkk fastapi-health 2>&1'), /, 0 altered files\n$/)
  await concluded(t, `pacman killed during an upgrade, ${kills} times`, [...outcomes].map(([outcome, times]) => `${outcome}: ${times} times`).join('; '), "pacman's lock and, rarely, half an entry of its database, to be removed as pacman says", 'the upgrade repeated')
})
