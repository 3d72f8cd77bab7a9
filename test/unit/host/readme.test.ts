import { readFileSync } from 'node:fs'
import test from 'ava'
import { settingsTable } from '../../../src/serve/settings.js'
import { blocksOf, commandsOf, isPromised } from '../../host/readme.js'

const readme = readFileSync('README.md', 'utf8')

test('blocks, commands and what they promise are told apart', (t) => {
  const markdown = 'a\n```console\n# one\nout\n$ two <<END\n> in\n> END\n```\n<!-- not run: why -->\n\n```sh\nthree\n```\n'
  const [first, second] = blocksOf(markdown)
  t.deepEqual(commandsOf(first!), [
    { user: 'root', command: 'one', promised: ['out'], line: 3 },
    { user: 'ordinary', command: 'two <<END\nin\nEND', promised: [], line: 5 }
  ])
  t.is(second?.notRun, 'why')
  t.is(first?.notRun, undefined)
  t.true(blocksOf('<!-- on a host of the FastAPI deployment -->\n\n```console\n# a\n```')[0]?.onOriginal)
})

test('a promise is kept to the letter, but for its wildcards', (t) => {
  t.true(isPromised(['a … c'], 'a b c\n'))
  t.true(isPromised(['a', '…', 'c'], 'a\nb\nb\nc\n'))
  t.true(isPromised(['a', '…'], 'a\n'))
  t.true(isPromised(['a  b'], 'a        b\n'))
  t.true(isPromised(['{"status":"ok"}'], '{"status":"ok"}'))
  t.false(isPromised(['a'], 'a\nb\n'))
  t.false(isPromised(['a', 'b'], 'a\n'))
  t.false(isPromised(['a.c'], 'abc\n'))
  t.false(isPromised(['… c'], 'a\nb c\n'))
})

test('every block of README is run, or is no command, or says why it is not run', (t) => {
  const kinds = ['console', 'mermaid', 'json', 'nginx', 'ini', 'text']
  const notRun = blocksOf(readme).filter(({ language, line, notRun }) => {
    if (notRun === undefined) t.true(kinds.includes(language), `line ${line}: ${language}`)
    return notRun !== undefined
  })
  t.true(notRun.length <= 5)
})

test("README's table names every setting with its default", (t) => {
  for (const [name, setting] of Object.entries(settingsTable)) {
    t.regex(readme, new RegExp(`^\\| \`${name}\` \\| ${setting.default.replaceAll('.', '\\.')} \\|`, 'm'), name)
  }
})

test('every link of README leads somewhere in it, or to a file that is there', (t) => {
  const anchors = [...readme.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => `#${title.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-')}`)
  for (const [, target = ''] of readme.matchAll(/\]\(([^)]+)\)/g)) {
    if (target.startsWith('https://')) continue
    if (target.startsWith('#')) t.true(anchors.includes(target), target)
    else t.notThrows(() => readFileSync(target), target)
  }
})
