import { execFile } from 'node:child_process'
import { lstat, mkdtemp, readFile, readdir, readlink, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { checkout } from './command.js'
import { buildPackage } from './packages.js'
import { test } from './test.js'

// The rules of namcap that matter for this package, which only Arch has.

let root = ''
let paths: string[] = []
let information: Map<string, string[]>

test.before(async (t) => {
  t.timeout(600_000)
  root = await mkdtemp(join(tmpdir(), 'fastapi-health-package-'))
  await promisify(execFile)('tar', ['--zstd', '--extract', '--same-owner', '--preserve-permissions', '--directory', root, '--file', await buildPackage()])
  paths = (await readdir(root, { recursive: true })).filter((path) => !path.startsWith('.'))
  information = new Map()
  for (const line of (await readFile(join(root, '.PKGINFO'), 'utf8')).split('\n')) {
    const [, key = '', value = ''] = /^(\w+) = (.*)$/.exec(line) ?? []
    information.set(key, [...(information.get(key) ?? []), value])
  }
})

test.after.always(async () => {
  if (root !== '') await rm(root, { recursive: true, force: true })
})

async function files(): Promise<string[]> {
  const kinds = await Promise.all(paths.map(async (path) => (await lstat(join(root, path))).isFile()))
  return paths.filter((_, index) => kinds[index])
}

test('everything is where Arch wants it, root owns it, and nobody else may write it', async (t) => {
  t.true(paths.length > 30)
  for (const path of paths) {
    t.regex(path, /^(etc|usr)(\/(bin|lib|share|fastAPI|nginx)(\/|$)|$)/, path)
    const { mode, uid, gid } = await lstat(join(root, path))
    t.deepEqual([uid, gid], [0, 0], path)
    t.is(mode & 0o6000, 0, `${path} is set-uid or set-gid`)
    if ((await lstat(join(root, path))).isSymbolicLink()) continue
    t.is(mode & 0o022, 0, `${path} can be written by others than root`)
    t.true((mode & 0o444) === 0o444 || path === 'etc/fastAPI/fastAPI.env' || path === 'usr/share/factory/etc/fastAPI/fastAPI.env', `${path} cannot be read by all: ${mode.toString(8)}`)
  }
})

/** The service's root: in it the unit lays its mounts over empty directories. */
const serviceRoot = 'usr/lib/fastapi-health/root/'

test('no directory is empty but places for mounts, and every link leads to something of the package', async (t) => {
  for (const path of paths) {
    const inside = join(root, path)
    const found = await lstat(inside)
    if (found.isDirectory() && !path.startsWith(serviceRoot)) t.true((await readdir(inside)).length > 0, `${path} is empty`)
    if (!found.isSymbolicLink()) continue
    const target = await readlink(inside)
    t.false(target.startsWith('/'), `${path} is an absolute link`)
    const leadsTo = await stat(resolve(dirname(inside), target))
    t.true(path.startsWith(serviceRoot) ? leadsTo.isDirectory() : leadsTo.isFile(), `${path} leads nowhere`)
  }
})

test('no file holds a path of the build, or machine code', async (t) => {
  for (const path of await files()) {
    const content = await readFile(join(root, path))
    for (const of of ['/home/builder', checkout, '$srcdir', '$pkgdir']) t.false(content.includes(of), `${path} holds ${of}`)
    t.not(content.subarray(0, 4).toString('latin1'), '\x7fELF', `${path}: arch=any`)
  }
})

test('every interpreter is a dependency, and everything with one can be executed', async (t) => {
  const providers: Record<string, string[]> = { '/usr/bin/node': ['nodejs>=20'], '/bin/sh': ['sh', 'bash'], '/usr/bin/sh': ['sh', 'bash'], '/bin/bash': ['bash'], '/usr/bin/bash': ['bash'] }
  const depends = information.get('depend') ?? []
  let found = 0
  for (const path of await files()) {
    const [, interpreter] = /^#! ?(\S+)/.exec(await readFile(join(root, path), 'utf8')) ?? []
    const executable = ((await lstat(join(root, path))).mode & 0o111) !== 0
    if (executable) t.not(interpreter, undefined, `${path} can be executed and names no interpreter`)
    if (interpreter === undefined || !executable) continue
    found++
    t.true((providers[interpreter] ?? []).some((name) => depends.includes(name)), `${path} needs ${interpreter}, the package ${depends.join(', ')}`)
  }
  t.true(found >= 2)
  t.false(depends.some((name) => name.includes('-lts')))
})

test('the information is whole: description, licence with its texts, settings that are kept', async (t) => {
  const one = (key: string): string => information.get(key)?.[0] ?? ''
  t.is(one('arch'), 'any')
  t.regex(one('license'), /^[\w.+-]+( (AND|OR) [\w.+-]+)*$/)
  t.notRegex(one('pkgdesc'), /fastapi-health|\.$/)
  t.regex(one('pkgver'), /^[\w.]+-\d+(\.\d+)?$/)
  t.true(paths.includes('usr/share/licenses/fastapi-health/LICENSE'))
  t.true((information.get('backup') ?? []).length >= 2)
  for (const path of information.get('backup') ?? []) t.true(paths.includes(path), path)
  for (const path of paths) if (/^etc\/.*\.(env|conf)$/.test(path)) t.true(information.get('backup')?.includes(path), `${path} is no backup file`)
  t.true(paths.some((path) => /^usr\/share\/man\/man8\/.*\.8\.gz$/.test(path)))
  t.false(paths.some((path) => /usr\/share\/(info\/dir|.*\.(pyc|la|orig|rej|bak))$/.test(path)))
})

test('the scriptlet repeats nothing that a hook of Arch does', async (t) => {
  const scriptlet = await readFile(join(root, '.INSTALL'), 'utf8')
  t.notRegex(scriptlet, /systemd-sysusers|systemd-tmpfiles|daemon-reload|useradd|groupadd|update-desktop|ldconfig|install-info/)
})

/** Names of the npm packages whose code is in the bundle; ncc's own few lines come with it. */
async function bundledPackages(): Promise<string[]> {
  const modules = JSON.parse(await readFile(join(checkout, 'build/bundle/modules.json'), 'utf8')) as Record<string, string>
  const names = Object.values(modules).map((file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? '')
  return [...new Set(names)].filter((name) => name !== '' && name !== '@vercel/ncc')
}

test("npm's bill of materials, CycloneDX, names every package in the bundle, with its hash and a licence of the package", async (t) => {
  const bom = JSON.parse(await readFile(join(root, 'usr/share/doc/fastapi-health/sbom.cdx.json'), 'utf8')) as {
    bomFormat: string
    serialNumber?: string
    components: { name: string; version: string; hashes: unknown[]; licenses: { license: { id: string } }[] }[]
  }
  t.is(bom.bomFormat, 'CycloneDX')
  t.is(bom.serialNumber, undefined)
  const names = bom.components.map(({ name }) => name)
  const bundled = await bundledPackages()
  t.true(bundled.length > 20)
  for (const name of bundled) t.true(names.includes(name), `${name} is bundled and not in the bill`)
  const licences = (information.get('license')?.[0] ?? '').split(' AND ')
  for (const { name, hashes, licenses } of bom.components) {
    t.true(hashes.length > 0, name)
    t.true(licenses.every(({ license }) => licences.includes(license.id)), `${name}: ${JSON.stringify(licenses)}`)
  }
  const texts = await readFile(join(root, 'usr/share/licenses/fastapi-health/LICENSES.bundled'), 'utf8')
  for (const name of bundled) t.true(texts.includes(`${name}\n`), `${name} is bundled, its licence's text is not shipped`)
  t.log(`${bom.components.length} components, ${bundled.length} of them in the bundle`)
})
