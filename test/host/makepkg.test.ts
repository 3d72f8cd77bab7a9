import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { builderCheckout, cloneIntoHost, offlineNpm } from './checkout.js'
import { curlHealth } from './pacman.js'
import { bootHost, type Host } from './host.js'
import { buildPackage } from './packages.js'
import { test } from './test.js'

let host: Host

test.before(async (t) => {
  t.timeout(600_000)
  host = await bootHost()
  await cloneIntoHost(host)
})

test.after.always(async () => {
  await host?.stop()
})

const sha256 = async (path: string) => createHash('sha256').update(await readFile(path)).digest('hex')

test('makepkg -sicC builds, tests, installs and activates, and leaves the checkout as it was', async (t) => {
  t.timeout(300_000)
  const environment = `SOURCE_DATE_EPOCH=1735689600 ${await offlineNpm()}`
  const output = await host.sh(`cd ${builderCheckout} && ${environment} makepkg -sicC --noconfirm 2>&1`, {
    user: 'builder',
    timeoutMs: 300_000
  })
  t.regex(output, /\d+ tests passed/, 'check() ran the unit tests')
  t.is(await host.sh(`cd ${builderCheckout} && git status --porcelain`, { user: 'builder' }), '')
  t.is(await curlHealth(host), '{"status":"ok"}')
})

test('two builds of the same files in the same place are the same, bit for bit', async (t) => {
  t.timeout(600_000)
  const first = await buildPackage()
  const name = first.slice(first.lastIndexOf('/') + 1)
  t.is(await sha256(join(host.root, builderCheckout, name)), await sha256(first))
})

test('what makepkg built says what it is, and needs nothing but what it declares', async (t) => {
  const information = await host.sh('LC_ALL=C pacman -Qi fastapi-health')
  for (const [field, value] of [
    ['Licenses', 'MIT AND ISC'],
    ['Depends On', 'nodejs>=20'],
    ['Architecture', 'any']
  ] as const) {
    t.regex(information, new RegExp(`^${field} +: .*${value}`, 'm'))
  }
  t.is(await host.sh('fastapi-health --version'), (await host.sh('pacman -Q fastapi-health')).replace('fastapi-health ', ''))
})
