import { readFileSync } from 'node:fs'
import { badReleases } from './bad-releases.js'
import { bootHost, type Host } from './host.js'
import { provisionOriginal } from './original.js'
import { pushPackage } from './pacman.js'
import { blocksOf, commandsOf, isPromised } from './readme.js'
import { test } from './test.js'

const readme = readFileSync('README.md', 'utf8')
const blocks = blocksOf(readme).filter(({ language, notRun }) => language === 'console' && notRun === undefined)

/** The releases whose packages README's commands take. */
const versions = [...new Set([...readme.matchAll(/^# pacman -U (?:--noconfirm )?fastapi-health-(\S+)-1-any\.pkg\.tar\.zst$/gm)].map(([, version = '']) => version))]
/** The one that does not start. */
const crashing = badReleases[0]?.package ?? {}

let fresh: Host
let original: Host

test.before(async (t) => {
  t.timeout(600_000)
  fresh = await bootHost()
  original = await bootHost()
  await provisionOriginal(original, { real: false, nginx: 'http.d', settings: 'LOG_LEVEL=warn\n' })
  for (const version of versions) {
    for (const host of [fresh, original]) await pushPackage(host, version === crashing.version ? crashing : { version })
  }
})

test.after.always(async () => {
  await fresh?.stop()
  await original?.stop()
})

test('README has commands to run', (t) => {
  t.true(blocks.length > 10)
  t.true(versions.includes(crashing.version ?? ''))
})

// In README's order, on one host or the other: each block starts from what those before it left.
for (const block of blocks) {
  const commands = commandsOf(block)
  test(`README, line ${block.line}: ${commands[0]?.command.split('\n')[0]}`, async (t) => {
    t.timeout(120_000)
    const host = block.onOriginal ? original : fresh
    for (const { user, command, promised, line } of commands) {
      const home = user === 'root' ? '/root' : '/home/alice'
      const { code, stdout } = await host.run(`cd ${home}; { ${command}\n} 2>&1`, { user: user === 'root' ? 'root' : 'alice', timeoutMs: 60_000 })
      t.is(code, 0, `line ${line}: ${command}\n${stdout}`)
      if (promised.length > 0) t.true(isPromised(promised, stdout), `line ${line}: ${command}\npromised:\n${promised.join('\n')}\nprinted:\n${stdout}`)
    }
  })
}
