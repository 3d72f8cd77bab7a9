import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { ask, newFolder, node, start } from './service.js'

// What a start loads is what a client waits for. Whatever is added to these lists is a decision, not an accident.

/** Files of the bundle that are run until the first probe is answered. */
const startFiles = `
  src/exit.js
  src/journal.js
  src/release.js
  src/serve/activation.js
  src/serve/connections.js
  src/serve/index.js
  src/serve/limits.js
  src/serve/log.js
  src/serve/notify.js
  src/serve/plain-health.js
  src/serve/settings.js
`

/** Files that the first request of another kind adds. */
const applicationFiles = `
  @koa/router/dist/index.js
  content-type/dist/index.js
  content-type/index.js
  delegates/index.js
  depd/index.js
  ee-first/index.js
  encodeurl/index.js
  escape-html/index.js
  fresh/index.js
  http-errors/index.js
  inherits/inherits.js
  koa-compose/index.js
  koa/lib/application.js
  koa/lib/context.js
  koa/lib/is-stream.js
  koa/lib/only.js
  koa/lib/request.js
  koa/lib/response.js
  koa/lib/search-params.js
  media-typer/index.js
  mime-db/db.json
  mime-db/index.js
  mime-types/index.js
  mime-types/mimeScore.js
  on-finished/index.js
  parseurl/index.js
  path-to-regexp/dist/index.js
  setprototypeof/index.js
  src/serve/app.js
  stand-in for accepts
  stand-in for content-disposition
  stand-in for cookies
  stand-in for debug
  stand-in for destroy
  stand-in for http-assert
  statuses/codes.json
  statuses/index.js
  toidentifier/index.js
  type-is/index.js
  vary/index.js
`

/** Builtins of Node that the bundle requires, in the same two steps. */
const startBuiltins = 'fs, http, net'
const applicationBuiltins = 'async_hooks, events, path, stream, url, util'

/** Run before the bundle: on SIGUSR2 it writes what was loaded by then. */
const recorder = `
const Module = require('node:module')
const load = Module._load
const builtins = new Set()
Module._load = function (name, ...rest) {
  if (Module.isBuiltin(name)) builtins.add(name.replace(/^node:/, ''))
  return load.call(this, name, ...rest)
}
process.on('SIGUSR2', () => {
  process.stderr.write('loaded ' + JSON.stringify({ builtins: [...builtins], modules: Object.keys(globalThis.bundledModules) }) + '\\n')
})
`

test('a start and a probe load these files and builtins, the first other request those, and no others', async (t) => {
  const folder = newFolder(t)
  const code = readFileSync('build/bundle/index.js', 'utf8')
  const cache = 'var __webpack_module_cache__ = {}'
  t.true(code.includes(cache))
  writeFileSync(join(folder, 'index.js'), code.replace(cache, 'var __webpack_module_cache__ = globalThis.bundledModules = {}'))
  writeFileSync(join(folder, 'recorder.js'), recorder)

  const socketPath = join(folder, 'service.sock')
  const service = start(t, [node, '--require', join(folder, 'recorder.js'), join(folder, 'index.js'), 'serve'], { LISTEN: socketPath, LOG_LEVEL: 'warn' }, socketPath)
  t.is((await firstAnswer(service)).body, '{"status":"ok"}')
  const first = await loaded(service, 1)
  t.deepEqual(first.files, listed(startFiles))
  t.deepEqual(first.builtins, listed(startBuiltins))

  t.is((await ask(service, 'HEAD', '/health')).status, 200)
  const second = await loaded(service, 2)
  t.deepEqual(second.files, listed(startFiles, applicationFiles))
  t.deepEqual(second.builtins, listed(startBuiltins, applicationBuiltins))
})

function listed(...lists: string[]): string[] {
  return lists.flatMap((list) => list.trim().split(/\s*[\n,]\s*/)).sort()
}

/** What the recorder says when it is asked for the `count`th time. */
async function loaded(service: ReturnType<typeof start>, count: number): Promise<{ files: string[]; builtins: string[] }> {
  service.child.kill('SIGUSR2')
  for (;;) {
    const line = [...service.log().matchAll(/^loaded (.*)$/gm)][count - 1]?.[1]
    if (line !== undefined) {
      const { builtins, modules } = JSON.parse(line) as { builtins: string[]; modules: string[] }
      const names = JSON.parse(readFileSync('build/bundle/modules.json', 'utf8')) as Record<string, string>
      return {
        files: modules.flatMap((id) => names[id]?.replace(/.*\/(node_modules|build\/js)\//, '') ?? []).sort(),
        builtins: builtins.sort()
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function firstAnswer(service: ReturnType<typeof start>): Promise<{ body: string }> {
  for (;;) {
    try {
      return await ask(service, 'GET', '/health')
    } catch (error) {
      if (service.child.exitCode !== null) throw error
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}


test('the bundle is at most 450 kB, in ASCII, and starts with its interpreter', (t) => {
  const code = readFileSync('build/bundle/index.js', 'utf8')
  t.true(code.length <= 450_000, `expected at most 450000 bytes, got ${code.length}; build/bundle/sizes.md says of what`)
  t.regex(code, /^#!\/usr\/bin\/node\n[\x00-\x7f]*$/)
})
