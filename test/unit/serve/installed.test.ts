import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { installedCheck } from '../../../src/serve/installed.js'

function databaseOf(t: ExecutionContext, ...entries: string[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'fastapi-health-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  for (const entry of entries) mkdirSync(join(directory, entry))
  return directory
}

test('the release that runs is the one that is installed', async (t) => {
  const directory = databaseOf(t, 'fastapi-health-1.0.0-1', 'nginx-1.30.0-1')
  t.deepEqual(await installedCheck('1.0.0-1', directory), [{ status: 'pass', componentType: 'component', observedValue: '1.0.0-1' }])
})

test('a release that runs and is not installed is a warning that names both and what to do', async (t) => {
  const directory = databaseOf(t, 'fastapi-health-tools-9.9.9-1', 'fastapi-health-1.1.0-1')
  const [check] = await installedCheck('1.0.0-1', directory)
  t.is(check?.status, 'warn')
  t.is(check?.observedValue, '1.1.0-1')
  t.regex(check?.output ?? '', /^expected the installed release 1\.1\.0-1, got 1\.0\.0-1; .*systemctl restart fastAPI-unix\.service$/)
})

test('where pacman knows of no release, or where there is no pacman, nothing is said', async (t) => {
  t.deepEqual(await installedCheck('1.0.0-1', databaseOf(t, 'nginx-1.30.0-1')), [])
  t.deepEqual(await installedCheck('1.0.0-1', join(databaseOf(t), 'none')), [])
  t.deepEqual(await installedCheck('1.0.0-0', databaseOf(t, 'fastapi-health-1.0.0-1')), [])
})
