import { bootHost, type Host } from './host.js'
import { pacmanU, pushPackage } from './pacman.js'
import { addSettings, serves } from './releases.js'
import { test } from './test.js'

// What is kept for rollback is the package that was installed, made again: file by file, and in what pacman records.

const state = '/var/lib/fastAPI/releases'
const keptPath = `${state}/fastapi-health-1.0.0-1-any.pkg.tar.zst`

let host: Host
let original = ''
let newer = ''

test.before(async (t) => {
  t.timeout(600_000)
  host = await bootHost()
  original = await pushPackage(host, { version: '1.0.0' })
  newer = await pushPackage(host, { version: '1.1.0' })
  await pacmanU(host, original)
})

test.after.always(async () => {
  await host?.stop()
})

/** Name, type, mode, owner, size, link and time of each entry of a package, and the digest of each file. */
async function contentsOf(path: string): Promise<string> {
  return host.sh(`
    set -eu
    dir=$(mktemp -d)
    bsdtar -xpf ${path} -C "$dir" --exclude .PKGINFO --exclude .BUILDINFO
    cd "$dir"
    bsdtar -tf ${path} | grep -vx -e .PKGINFO -e .BUILDINFO | sort
    find . -mindepth 1 -printf '%P %y %m %U:%G %s %l %T@\\n' | sed -E '/ d /s/ [0-9]+  / /' | sort
    find . -type f -print0 | sort -z | xargs -0 sha256sum
    rm -rf "$dir"`)
}

/** What pacman installs by, without comments, and without makedepend, of which it keeps no record. */
async function informationOf(path: string): Promise<string> {
  return host.sh(`bsdtar -xOf ${path} .PKGINFO | grep -v -e '^#' -e '^makedepend ' | sort`)
}

/** What pacman knows of the installed package, without the time of its installation. */
async function recordOf(): Promise<string> {
  return host.sh(`cd /var/lib/pacman/local/fastapi-health-*/ && sed '/%INSTALLDATE%/,+1d' desc && cat files install && sha256sum mtree`)
}

test('an upgrade keeps the release that it replaces, as the package that it was', async (t) => {
  await addSettings(host, 'IDLE_TIMEOUT=77')
  const record = await recordOf()
  const output = await pacmanU(host, newer)
  t.regex(output, /1\.0\.0-1 is kept for rollback\n/)
  t.is(await contentsOf(keptPath), await contentsOf(original))
  t.is(await informationOf(keptPath), await informationOf(original))
  t.regex(await informationOf(keptPath), /^backup = etc\/fastAPI\/fastAPI\.env$/m)
  t.is(await host.sh(`stat -c '%a %U:%G' ${state} ${keptPath}`), '700 root:root\n600 root:root\n')

  await pacmanU(host, keptPath)
  t.is(await recordOf(), record)
  t.regex(await host.sh('cat /etc/fastAPI/fastAPI.env'), /^IDLE_TIMEOUT=77$/m)
  t.is(await host.sh('find /etc -name "*.pacnew"'), '')
  await serves(t, host, '1.0.0-1')
})

test('what was made again can be made again from itself: the second copy is the first', async (t) => {
  const digest = await host.sh(`sha256sum ${keptPath}`)
  await host.sh(`rm ${keptPath}`)
  await pacmanU(host, newer)
  t.is(await host.sh(`sha256sum ${keptPath}`), digest)
})

test('an unchanged release is not kept twice, and the newest RELEASES_KEEP stay', async (t) => {
  await addSettings(host, 'RELEASES_KEEP=2')
  const inode = await host.sh(`stat -c '%i %z' ${keptPath}`)
  await host.sh(`touch -d '3 days ago' ${state}/fastapi-health-0.8.0-1-any.pkg.tar.zst; touch -d '2 days ago' ${state}/fastapi-health-0.9.0-1-any.pkg.tar.zst`)
  t.notRegex(await pacmanU(host, original), /error/)
  t.is((await host.sh(`ls -t ${state}/*.zst | xargs -n1 basename`)), 'fastapi-health-1.1.0-1-any.pkg.tar.zst\nfastapi-health-1.0.0-1-any.pkg.tar.zst\n')
  const output = await pacmanU(host, newer)
  t.notRegex(output, /is kept for rollback/)
  t.is((await host.sh(`stat -c %i ${keptPath}`)).trim(), inode.split(' ')[0] ?? '')
})

test('the very file is taken from pacman\'s cache, with its signature, where it is the same build', async (t) => {
  await host.sh(`cp ${newer} /var/cache/pacman/pkg/ && echo signature > /var/cache/pacman/pkg/$(basename ${newer}).sig && rm -f ${state}/*1.1.0*`)
  await pacmanU(host, original)
  const kept = `${state}/fastapi-health-1.1.0-1-any.pkg.tar.zst`
  await host.sh(`cmp ${kept} ${newer}`)
  t.is(await host.sh(`cat ${kept}.sig`), 'signature\n')
  await host.sh(`rm -f /var/cache/pacman/pkg/fastapi-health* ${kept}.sig`)
})

test('what was changed on this host is kept as it is, and said; what is gone is left out, and said', async (t) => {
  await host.sh('rm /usr/share/doc/fastapi-health/CHANGELOG.md; printf "\\n// patched here\\n" >> /usr/lib/fastapi-health/index.js')
  await host.sh(`rm ${keptPath}`)
  const output = await pacmanU(host, newer)
  t.regex(output, /1\.0\.0-1 is kept for rollback \(with \/usr\/lib\/fastapi-health\/index\.js as changed on this host, without \/usr\/share\/doc\/fastapi-health\/CHANGELOG\.md which is gone/)
  await pacmanU(host, keptPath)
  t.is(await host.sh('tail -n 1 /usr/lib/fastapi-health/index.js'), '// patched here\n')
  // pacman's own record still tells the truth about it.
  t.regex(await host.sh('LC_ALL=C pacman -Qkk fastapi-health 2>&1 || true'), /index\.js \(SHA256 checksum mismatch\)/)
  await pacmanU(host, original)
  await host.sh(`rm -f ${state}/*.zst`)
})

test('a full disk leaves no half package, and does not stop the upgrade', async (t) => {
  await host.sh(`mount -t tmpfs -o size=64k,mode=700 tmpfs ${state}`)
  const output = await pacmanU(host, newer)
  t.regex(output, /1\.0\.0-1 is not kept for rollback: bsdtar: .* \(\/var\/lib\/fastAPI\/releases has +[0-9.]+K? free\)/)
  t.is(await host.sh(`ls -A ${state} | grep -v -e replaced -e verdict || true`), '')
  await host.sh(`umount ${state}`)
  await serves(t, host, '1.1.0-1')
})

test('SIGKILL while it is written leaves no half package, and what it left is cleaned up by the next', async (t) => {
  await pacmanU(host, original)
  await host.sh(`rm -f ${state}/*`)
  // Killed at the moment when its file appears.
  const killed = await host.sh(`
    /usr/lib/fastapi-health/releases keep & pid=$!
    until ls ${state}/.new.* >/dev/null 2>&1; do :; done
    kill -KILL $pid
    wait $pid
    echo "status $?"
    pkill -KILL bsdtar
    ls -A ${state}`)
  t.regex(killed, /^status 137\n/)
  t.regex(killed, /^\.new\./m)
  t.notRegex(killed, /^fastapi-health-/m)
  await pacmanU(host, newer)
  t.is(await host.sh(`ls -A ${state}`), 'fastapi-health-1.0.0-1-any.pkg.tar.zst\nreplaced\nverdict\n')
  t.is(await contentsOf(keptPath), await contentsOf(original))
})
