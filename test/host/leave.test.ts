import { doctor, nameAndMend } from './doctor.js'
import { bootHost, type Host } from './host.js'
import { curlHealth, pacmanU, pushPackage } from './pacman.js'
import { test } from './test.js'

let host: Host
let path = ''
let stockNginx = ''

test.before(async (t) => {
  t.timeout(600_000)
  host = await bootHost()
  stockNginx = await host.sh('cat /etc/nginx/nginx.conf')
  path = await pushPackage(host)
})

test.after.always(async () => {
  await host?.stop()
})

/** Installs it and uses all of it. */
async function useAll(): Promise<void> {
  await pacmanU(host, path)
  await host.sh('echo LOG_LEVEL=warn >>/etc/fastAPI/fastAPI.env && fastapi-health nginx enable && systemctl enable --now nginx.service')
  await curlHealth(host)
  await host.sh('curl -sSf http://fastapi.localhost/health && systemctl stop --no-warn fastAPI-unix.service')
}

/** Every file that has our name, outside of what the test put there. */
const files = () =>
  host.sh("find /etc /run /usr /var -xdev -iname '*fastapi*' -not -path '/var/log/*' -not -path '/var/lib/pacman/*' -not -path '/var/cache/pacman/*' | sort")

/** The commands that pacman's output tells, pasted into a root shell. */
async function pasteCommands(output: string): Promise<string[]> {
  const commands = [...output.matchAll(/^ {4}((?:rm|sed) .*)$/gm)].map(([, command = '']) => command)
  for (const command of commands) await host.sh(command)
  return commands
}

async function nothingIsLeft(t: { is: (actual: unknown, expected: unknown) => void }): Promise<void> {
  t.is(await files(), '')
  t.is((await host.run('getent passwd fastapi || getent group fastapi')).code, 2)
  t.is(await host.sh('cat /etc/nginx/nginx.conf'), stockNginx)
  t.is(await host.sh("systemctl list-unit-files --legend=no '*fast*'; systemctl list-units --all --legend=no '*fast*'"), '')
  t.is(await host.sh("curl -sS -o /dev/null -w '%{http_code}' http://127.0.0.1/"), '200')
}

test('pacman -R stops and disables it, keeps changed settings, and tells the commands that remove what stays', async (t) => {
  t.timeout(120_000)
  await useAll()
  const output = await host.sh('pacman -R --noconfirm fastapi-health 2>&1')
  t.log(output)
  t.regex(output, /fastAPI\.env saved as \/etc\/fastAPI\/fastAPI\.env\.pacsave/)
  t.is((await host.run('systemctl is-active fastAPI-unix.socket')).stdout, 'inactive\n')
  t.regex(await files(), /^\/etc\/fastAPI\n\/etc\/fastAPI\/fastAPI\.env\.pacsave\n[^]*\/var\/lib\/fastAPI\n$/)
  t.is(await host.sh('stat -c %a /etc/fastAPI/fastAPI.env.pacsave'), '640\n')
  const commands = await pasteCommands(output)
  t.is(commands.length, 2)
  await nothingIsLeft(t)
})

test('pacman -Rns keeps no settings; the rest that stays is removed by the same commands', async (t) => {
  t.timeout(120_000)
  await useAll()
  const output = await host.sh('pacman -Rns --noconfirm fastapi-health 2>&1')
  t.log(output)
  t.notRegex(await files(), /pacsave/)
  t.is((await pasteCommands(output)).length, 2)
  await nothingIsLeft(t)
})

test('who installs it again finds the settings that were saved, and nginx as it was', async (t) => {
  t.timeout(120_000)
  await useAll()
  await host.sh('pacman -R --noconfirm fastapi-health')
  await pacmanU(host, path)
  await nameAndMend(t, host, [/^warn unmerged files: \/etc\/fastAPI\/fastAPI\.env\.pacsave was saved when the package was removed/])
  t.is(await host.sh('tail -n 1 /etc/fastAPI/fastAPI.env'), 'LOG_LEVEL=warn\n')
  t.regex((await doctor(host)).text, /^ok +nginx +http:\/\/fastapi\.localhost\/health answers with status 200$/m)
})
