import test from 'ava'
import { compact } from '../../../src/bundle/compact.js'

test('comments, indentation and empty lines go, the interpreter stays', (t) => {
  t.is(compact('#!/usr/bin/node\n// one\n{\n\n  a()\n  /*\n   * two\n   */\n  b() // three\n}\n'), '#!/usr/bin/node\n\n{\na()\n\n\nb() \n}\n')
})

test('what only looks like a comment or like indentation stays', (t) => {
  const code = 'a = "// one"\nb = `/* two ${c} */\n    three`\nd = /\\/\\*x/\ne = "four \\\n  five"\n'
  t.is(compact(code), code)
})

test('a line break inside a comment still ends a statement', (t) => {
  t.is(compact('a = 1 /*\n*/ b = 2'), 'a = 1 \n b = 2')
})

test('the parentheses that have V8 compile a function at once stay', (t) => {
  const code = 'modules = {\n/***/ 7:\n/***/ ((module) => {})\n}\n'
  t.is(compact(code), code)
})
