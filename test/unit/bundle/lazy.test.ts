import test from 'ava'
import { loadBuiltinAtFirstUse, loadPackageAtFirstUse } from '../../../src/bundle/lazy.js'
import { keepMediaTypes } from '../../../src/bundle/media-types.js'

test('a package that the bundle no longer holds, or holds twice, fails the build', (t) => {
  const module = '\n/***/ 7:\n/***/ ((module) => {'
  t.throws(() => loadPackageAtFirstUse(module, 'gone', new Map()), { message: /expected the bundle to hold one package gone, found 0/ })
  const twice = new Map([
    ['7', '/a/node_modules/twice/index.js'],
    ['8', '/a/node_modules/b/node_modules/twice/index.js']
  ])
  t.throws(() => loadPackageAtFirstUse(module, 'twice', twice), { message: /one package twice, found 2/ })
})

test('a builtin that the bundle no longer requires fails the build', (t) => {
  t.throws(() => loadBuiltinAtFirstUse('', 'node:v8'), { message: /require\("node:v8"\).*found 0/ })
})

test('a stand-in loads its builtin when a property is read, and node:assert when something does not hold', (t) => {
  const required: string[] = []
  const load = (name: string): unknown => {
    const code = loadBuiltinAtFirstUse(`module.exports = require("${name}");`, name)
    const module = { exports: undefined as unknown }
    new Function('module', 'require', code)(module, (wanted: string) => (required.push(wanted), require(wanted)))
    return module.exports
  }
  const assert: (value: unknown, message?: string) => void = load('node:assert') as typeof import('node:assert')
  const v8 = load('node:v8') as typeof import('node:v8')
  assert(true)
  t.deepEqual(required, [])
  t.throws(() => assert(false, 'what was expected'), { name: 'AssertionError', message: 'what was expected' })
  t.is(typeof v8.getHeapStatistics, 'function')
  t.deepEqual(required, ['node:assert', 'node:v8'])
})

test('a bundle without a table of media types fails the build', (t) => {
  t.throws(() => keepMediaTypes('module.exports = {}'), { message: /mime-db/ })
})
