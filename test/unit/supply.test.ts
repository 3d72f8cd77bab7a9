import { readFileSync } from 'node:fs'
import test from 'ava'

interface Locked {
  version?: string
  integrity?: string
  hasInstallScript?: boolean
}

const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, Record<string, string>>
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Locked> }

test('every dependency is asked for in one exact version', (t) => {
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) t.regex(version, /^\d+\.\d+\.\d+$/, name)
})

test('every locked package has its hash, and none needs a script to be installed', (t) => {
  t.true(Object.keys(packages).length > 40)
  for (const [path, { integrity, hasInstallScript }] of Object.entries(packages)) {
    if (path === '') continue
    t.regex(integrity ?? '', /^sha512-/, path)
    t.not(hasInstallScript, true, path)
  }
})

test('npm runs no scripts of packages where the package is built', (t) => {
  t.regex(readFileSync('PKGBUILD', 'utf8'), /npm ci --ignore-scripts/)
})
