import { readFileSync } from 'node:fs'
import test from 'ava'
import { addInclude, includeLine, removeInclude } from '../../../../src/admin/nginx/include-line.js'
import { parseNginx } from '../../../../src/admin/nginx/syntax.js'

const include = 'include /etc/nginx/fastAPI/*.conf;'

const texts: Record<string, string> = {
  'the stock nginx.conf': readFileSync('test/host/rootfs/etc/nginx/nginx.conf', 'utf8'),
  'one that includes other folders': 'events {}\nhttp {\n  include conf.d/*.conf;\n  include sites-enabled/*;\n}\n',
  'one with blocks after http {}': 'events {}\nhttp {\n    server { listen 80; }\n}\n\nstream {\n    server { listen 81; }\n}\n',
  'an empty http {}': 'events {}\nhttp {}\n',
  'http {} on one line': 'events{} http{server{listen 80;location /{return 200;}}}',
  'http {} that closes behind a directive': 'events {}\nhttp {\n    sendfile on; }',
  'a brace in a comment, a string and a variable': 'events {}\nhttp {\n    # }\n    log_format a "}{";\n    set $b "${c}";\n    return 200 \'}\';\n}\n',
  'Windows line ends': 'events {}\r\nhttp {\r\n    sendfile on;\r\n}\r\n',
  'tabs, and no line end at the end': 'events {}\nhttp {\n\tsendfile on;\n\t}',
  'bytes that are no UTF-8': 'events {}\n# \xe4\xff\nhttp {\n}\n'
}

for (const [what, text] of Object.entries(texts)) {
  test(`the line is the last one within http {} of ${what}, and goes without a trace`, (t) => {
    const added = addInclude(text)
    const http = parseNginx(added, 'nginx.conf').find(({ name }) => name === 'http')
    const last = http?.block?.at(-1)
    t.is(`${last?.name} ${last?.args.join(' ')};`, include)
    t.is(last?.line, includeLine(added))
    t.is(parseNginx(added, 'nginx.conf').length, parseNginx(text, 'nginx.conf').length)
    t.is(addInclude(added), added)
    t.is(removeInclude(added), text)
    t.is(removeInclude(text), text)
  })
}

test('without http {} nothing is added, and the line to add is told', (t) => {
  for (const text of ['', 'events {}\n', '# http {\n# }\n', 'events {}\nhttp {\n    sendfile on;\n']) {
    const error = t.throws(() => addInclude(text))
    t.true(error?.message.includes(include))
  }
})

test('a line of a person is not taken for its own', (t) => {
  const text = `events {}\nhttp {\n    ${include}\n    ${include} # mine\n}\n`
  t.is(includeLine(text), undefined)
  t.is(removeInclude(text), text)
})
