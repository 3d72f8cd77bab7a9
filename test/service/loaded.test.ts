import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { ask, newFolder, node, start } from './service.js'

// What a start loads is what a client waits for. Whatever is added to these lists is a decision, not an accident.

/** Files of the bundle that are run until the first health request is answered. */
const bundledFiles = `
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
  src/exit.js
  src/journal.js
  src/release.js
  src/serve/activation.js
  src/serve/app.js
  src/serve/connections.js
  src/serve/index.js
  src/serve/limits.js
  src/serve/log.js
  src/serve/notify.js
  src/serve/plain-health.js
  src/serve/settings.js
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
`.trim()

/** Builtins of Node that the bundle requires until then. */
const builtins = 'async_hooks events fs http net path stream url util'

/** Run before the bundle: at exit it writes what was loaded. */
const recorder = `
const Module = require('node:module')
const load = Module._load
const builtins = new Set()
Module._load = function (name, ...rest) {
  if (Module.isBuiltin(name)) builtins.add(name.replace(/^node:/, ''))
  return load.call(this, name, ...rest)
}
process.once('SIGUSR2', () => {
  process.stderr.write('loaded ' + JSON.stringify({ builtins: [...builtins], modules: Object.keys(globalThis.bundledModules) }) + '\\n')
})
`

test('a start and a health request load these files and these builtins, and no others', async (t) => {
  const folder = newFolder(t)
  const code = readFileSync('build/bundle/index.js', 'utf8')
  const cache = 'var __webpack_module_cache__ = {}'
  t.true(code.includes(cache))
  writeFileSync(join(folder, 'index.js'), code.replace(cache, 'var __webpack_module_cache__ = globalThis.bundledModules = {}'))
  writeFileSync(join(folder, 'recorder.js'), recorder)

  const socketPath = join(folder, 'service.sock')
  const service = start(t, [node, '--require', join(folder, 'recorder.js'), join(folder, 'index.js'), 'serve'], { LISTEN: socketPath, LOG_LEVEL: 'warn' }, socketPath)
  t.is((await firstAnswer(service)).body, '{"status":"ok"}')
  service.child.kill('SIGUSR2')
  const [, json = ''] = await new Promise<RegExpExecArray>((resolve) => {
    const look = setInterval(() => {
      const found = /^loaded (.*)$/m.exec(service.log())
      if (found === null) return
      clearInterval(look)
      resolve(found)
    }, 10)
  })
  const loaded = JSON.parse(json) as { builtins: string[]; modules: string[] }
  const files = JSON.parse(readFileSync('build/bundle/modules.json', 'utf8')) as Record<string, string>
  const names = loaded.modules.flatMap((id) => files[id]?.replace(/.*\/(node_modules|build\/js)\//, '') ?? [])
  t.deepEqual(names.sort(), bundledFiles.split(/\s*\n\s*/))
  t.deepEqual(loaded.builtins.sort(), builtins.split(' '))
})

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
