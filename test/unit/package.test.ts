import { readFileSync } from 'node:fs'
import test from 'ava'

// Tests run with the checkout, or makepkg's copy of it, as their working directory.
const read = (path: string) => readFileSync(path, 'utf8')
const packageJson = JSON.parse(read('package.json')) as { version: string; license: string }

test('the PKGBUILD packages the version of package.json', (t) => {
  t.is(/^pkgver=(.*)$/m.exec(read('PKGBUILD'))?.[1], packageJson.version)
})

test('the lockfile names no registry', (t) => {
  t.notRegex(read('package-lock.json'), /"resolved"/)
})

test('every file of dist-units is installed by the PKGBUILD, the man page as what it is converted to', async (t) => {
  const { readdirSync } = await import('node:fs')
  const pkgbuild = read('PKGBUILD')
  for (const file of readdirSync('dist-units')) {
    const installed = file.endsWith('.md') ? `build/${file.slice(0, -'.md'.length)}` : file
    t.true(pkgbuild.includes(` ${installed} `), file)
  }
})
