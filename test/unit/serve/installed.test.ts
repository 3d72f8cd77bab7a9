import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { installedCheck } from '../../../src/serve/installed.js'

function fileOf(t: ExecutionContext, content: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'fastapi-health-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  writeFileSync(join(directory, 'release'), content)
  return join(directory, 'release')
}

test('the release that runs is the one that is installed', async (t) => {
  const file = fileOf(t, '1.0.0-1\n')
  t.deepEqual(await installedCheck('1.0.0-1', file), [{ status: 'pass', componentType: 'component', observedValue: '1.0.0-1' }])
})

test('a release that runs and is not installed is a warning that names both and what to do', async (t) => {
  const [check] = await installedCheck('1.0.0-1', fileOf(t, '1.1.0-1\n'))
  t.is(check?.status, 'warn')
  t.is(check?.observedValue, '1.1.0-1')
  t.regex(check?.output ?? '', /^expected the installed release 1\.1\.0-1, got 1\.0\.0-1; .*systemctl restart fastAPI-unix\.service$/)
})

test('where none is installed, or what runs was never packaged, nothing is said', async (t) => {
  t.deepEqual(await installedCheck('1.0.0-1', fileOf(t, '')), [])
  t.deepEqual(await installedCheck('1.0.0-1', `${fileOf(t, '')}-of-none`), [])
  t.deepEqual(await installedCheck('1.0.0-0', fileOf(t, '1.0.0-1\n')), [])
})
