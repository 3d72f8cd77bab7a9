import { readFileSync } from 'node:fs'
import test from 'ava'
import { restoreSite, setSite } from '../../../../src/admin/nginx/site.js'
import { parseNginx } from '../../../../src/admin/nginx/syntax.js'

const packaged = readFileSync('dist-units/fastAPI.nginx.conf', 'utf8')
const off = { listens: undefined, names: undefined }

function directives(text: string, name: string): string[] {
  const [server] = parseNginx(text, 'fastAPI.conf')
  return (server?.block ?? []).filter((directive) => directive.name === name).map(({ args }) => args.join(' '))
}

test('names and listeners are set, and restored byte for byte', (t) => {
  const set = setSite(packaged, { listens: ['8080', '[::]:8080'], names: ['a.example', 'b.example'] })
  t.deepEqual(directives(set, 'listen'), ['8080', '[::]:8080'])
  t.deepEqual(directives(set, 'server_name'), ['a.example b.example'])
  t.is(restoreSite(set), packaged)
})

test('set again, the last options count, each by itself', (t) => {
  const once = setSite(packaged, { ...off, names: ['a.example'] })
  const twice = setSite(once, { ...off, listens: ['127.0.0.1:81'] })
  const thrice = setSite(twice, { ...off, names: ['c.example'] })
  t.deepEqual(directives(thrice, 'listen'), ['127.0.0.1:81'])
  t.deepEqual(directives(thrice, 'server_name'), ['c.example'])
  t.is(setSite(thrice, { ...off, names: ['c.example'] }), thrice)
  t.is(setSite(thrice, off), thrice)
  t.is(restoreSite(thrice), packaged)
})

test('listeners with TLS, comments and lines of a person stay', (t) => {
  const own = packaged.replaceAll('    #listen', '    listen').replace('server_tokens off;', 'server_tokens off; # mine')
  const set = setSite(own, { ...off, listens: ['81'] })
  t.deepEqual(directives(set, 'listen'), ['81', '443 ssl', '[::]:443 ssl'])
  t.is(restoreSite(set), own)
})

test('a directive that is missing is added first within server {}', (t) => {
  const own = 'server {\n    listen 80;\n}\n'
  const set = setSite(own, { ...off, names: ['a.example'] })
  t.deepEqual(directives(set, 'server_name'), ['a.example'])
  t.is(restoreSite(set), own)
})

test('a site that nothing was set in is restored to itself', (t) => {
  t.is(restoreSite(packaged), packaged)
})
