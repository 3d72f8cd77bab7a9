import { builderCheckout, cloneIntoHost, offlineNpm } from './checkout.js'
import { bootHost, type Host } from './host.js'
import { curlHealth } from './pacman.js'
import { test } from './test.js'

let host: Host
let key = ''

const packageFile = 'fastapi-health-*-any.pkg.tar.zst'
const repository = '/srv/repository'

test.before(async (t) => {
  t.timeout(600_000)
  host = await bootHost()
  await cloneIntoHost(host)
  // A key that is thrown away with the host.
  const parameters = 'Key-Type: EDDSA\nKey-Curve: ed25519\nKey-Usage: sign\nName-Real: test\nName-Email: test@localhost\nExpire-Date: 0\n%no-protection\n%commit\n'
  await host.sh('gpg --batch --quiet --generate-key -', { user: 'builder', input: parameters })
  key = (await host.sh("gpg --batch --list-keys --with-colons | awk -F: '/^fpr/ { print $10; exit }'", { user: 'builder' })).trim()
})

test.after.always(async () => {
  await host?.stop()
})

/** Nothing but what a known key has signed is taken, from a repository or from a file. */
async function requireSignatures(): Promise<void> {
  await host.sh(`sed -i 's/^SigLevel.*/SigLevel = Required/; s/^LocalFileSigLevel.*/LocalFileSigLevel = Required/' /etc/pacman.conf
    printf '\\n[health]\\nSigLevel = Required\\nServer = file://${repository}\\n' >> /etc/pacman.conf`)
}

const pacman = (command: string) => host.run(`LC_ALL=C pacman --noconfirm ${command} 2>&1`, { timeoutMs: 120_000 })

test('makepkg --sign and repo-add --sign make a package and a repository with signatures', async (t) => {
  t.timeout(300_000)
  const environment = `SOURCE_DATE_EPOCH=1735689600 ${await offlineNpm()}`
  await host.sh(`cd ${builderCheckout} && ${environment} makepkg --sign --key ${key} --nocheck --noconfirm 2>&1`, { user: 'builder', timeoutMs: 300_000 })
  await host.sh(`mkdir -p ${repository} && chown builder: ${repository}`)
  await host.sh(`cp ${builderCheckout}/${packageFile}* ${repository} && cd ${repository} && repo-add --sign --key ${key} health.db.tar.gz ${packageFile} 2>&1`, { user: 'builder' })
  await host.sh(`cd ${repository} && gpg --verify ${packageFile}.sig ${packageFile} 2>&1 && gpg --verify health.db.tar.gz.sig health.db.tar.gz 2>&1`, { user: 'builder' })
  t.pass()
})

test('under SigLevel = Required nothing is installed by a key that nobody trusts', async (t) => {
  await requireSignatures()
  const synced = await pacman('-Sy')
  t.not(synced.code, 0)
  t.regex(synced.stdout, /unknown|trust|invalid|required key missing/i)
  const installed = await pacman(`-U ${repository}/${packageFile}`)
  t.not(installed.code, 0)
  t.regex(installed.stdout, /unknown|trust|required key/i)
})

test('once the key is trusted, the signed package is installed from the repository, and serves', async (t) => {
  t.timeout(120_000)
  await host.sh(`gpg --export ${key} > /tmp/key`, { user: 'builder' })
  await host.sh(`pacman-key --add /tmp/key && pacman-key --lsign-key ${key} 2>&1`)
  const installed = await pacman('-Sy fastapi-health')
  t.is(installed.code, 0, installed.stdout)
  t.is(await curlHealth(host), '{"status":"ok"}')
  t.regex((await pacman('-Qi fastapi-health')).stdout, /^Validated By +: .*Signature/m)
})

for (const [what, change, refusal] of [
  ['an unsigned package', `rm ${packageFile}.sig`, /missing required signature|signature/i],
  ['a package that was altered after it was signed', `zstd -qdc ${packageFile} > p.tar && rm ${packageFile} && printf 'altered' >> p.tar && zstd -qc p.tar > fastapi-health-1.0.0-1-any.pkg.tar.zst`, /invalid|corrupt|signature/i],
  ["a package with another one's signature", `cp health.db.tar.gz.sig $(ls ${packageFile}).sig`, /invalid|corrupt|signature/i]
] as const) {
  test(`${what} is refused, and what is installed stays`, async (t) => {
    const copy = `/srv/${what.replaceAll(/\W/g, '')}`
    await host.sh(`cp -r ${repository} ${copy} && cd ${copy} && ${change}`)
    const before = await host.sh('pacman -Q fastapi-health; cat /usr/lib/fastapi-health/index.js | sha256sum')
    const refused = await pacman(`-U ${copy}/${packageFile}`)
    t.not(refused.code, 0, refused.stdout)
    t.regex(refused.stdout, refusal)
    t.is(await host.sh('pacman -Q fastapi-health; cat /usr/lib/fastapi-health/index.js | sha256sum'), before)
    t.log(refused.stdout.trim().split('\n').filter((line) => /^error/.test(line)).join(' / '))
  })
}

for (const [what, change] of [
  ['a repository whose database was altered', 'printf x >> health.db.tar.gz'],
  ['a repository without a signature', 'rm health.db.sig health.db.tar.gz.sig']
] as const) {
  test(`${what} is refused`, async (t) => {
    const copy = `/srv/${what.replaceAll(/\W/g, '')}`
    await host.sh(`cp -r ${repository} ${copy} && cd ${copy} && ${change}; rm -f /var/lib/pacman/sync/health.*; sed -i 's|^Server = file:.*|Server = file://${copy}|' /etc/pacman.conf`)
    const refused = await pacman('-Sy')
    t.not(refused.code, 0, refused.stdout)
    t.regex(refused.stdout, /invalid|signature|corrupt|failed retrieving/i)
    t.log(refused.stdout.trim().split('\n').filter((line) => /error/.test(line)).join(' / '))
  })
}
