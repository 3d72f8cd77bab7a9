import { readFileSync } from 'node:fs'
import test from 'ava'
import { parseDump, serverFor, serversFor } from '../../../../src/admin/nginx/configuration.js'
import { parseNginx } from '../../../../src/admin/nginx/syntax.js'

const socketPath = '/run/fastAPI/fastAPI.sock'
const stock = readFileSync('test/host/rootfs/etc/nginx/nginx.conf', 'utf8')
const vhost = readFileSync('dist-units/fastAPI.nginx.conf', 'utf8')
const location = readFileSync('dist-units/fastAPI.nginx.location', 'utf8')

/** What `nginx -T` prints of these files, the main one first. */
function dump(files: Record<string, string>): string {
  return Object.entries(files)
    .map(([name, text]) => `# configuration file ${name}:\n${text}\n`)
    .join('')
}

test('words, quotes, comments, variables and blocks are told apart', (t) => {
  const text = `a 'b c' "d;e" f\\ g; # not; {this}\nh { i \${j}k "}"; }\nmap $a $b { "~^x{1,2}$" 1; }`
  t.deepEqual(parseNginx(text, 'x'), [
    { name: 'a', args: ['b c', 'd;e', 'f g'], file: 'x', line: 1 },
    { name: 'h', args: [], block: [{ name: 'i', args: ['${j}k', '}'], file: 'x', line: 2 }], closesAt: 51, file: 'x', line: 2 },
    { name: 'map', args: ['$a', '$b'], block: [{ name: '~^x{1,2}$', args: ['1'], file: 'x', line: 3 }], closesAt: 80, file: 'x', line: 3 }
  ])
})

test('Lua between braces does not confuse what follows', (t) => {
  const names = parseNginx('content_by_lua_block { if a then b = "{}" end } c d;', 'x').map(({ name }) => name)
  t.deepEqual(names, ['content_by_lua_block', 'c'])
})

test('what cannot be parsed is no reason to hang or to throw', (t) => {
  for (const text of ['', '}', '{', 'a {', '"', "'a", '\\', '}}} a;', '${', 'a ${b', '# only']) t.notThrows(() => parseNginx(text, 'x'), text)
})

test('the stock configuration has one server, on port 80, and no vhost of ours', (t) => {
  const configuration = parseDump(dump({ '/etc/nginx/nginx.conf': stock, '/etc/nginx/mime.types': 'types { text/html html; }' }))
  t.deepEqual(configuration.files, ['/etc/nginx/nginx.conf', '/etc/nginx/mime.types'])
  t.deepEqual(
    configuration.servers.map(({ file, listens, names }) => ({ file, listens, names })),
    [
      {
        file: '/etc/nginx/nginx.conf',
        listens: [{ address: '*', port: 80, isDefault: false, isTls: false }],
        names: ['localhost']
      }
    ]
  )
  t.deepEqual(serversFor(configuration, socketPath), [])
})

test('an included vhost is found, answers for its name, and leaves the stock server the default', (t) => {
  const included = stock.replace('http {', 'http {\n    include fastAPI/*.conf;')
  // Included first, it would be the default server if it stood on no address of its own: listen order decides.
  const after = stock.replace(/\}\s*$/, '    include /etc/nginx/fastAPI/*.conf;\n}\n')
  for (const [main, isDefault] of [
    [included, true],
    [after, false]
  ] as const) {
    const site = { '/etc/nginx/fastAPI/fastAPI.conf': vhost, '/etc/nginx/fastAPI/fastAPI.location': location }
    const configuration = parseDump(dump({ '/etc/nginx/nginx.conf': main, ...site }))
    const [ours, ...others] = serversFor(configuration, socketPath)
    t.is(ours?.file, '/etc/nginx/fastAPI/fastAPI.conf')
    t.deepEqual(others, [])
    const name = ours?.names[0] ?? ''
    t.is(serverFor(configuration.servers, '127.0.0.1', 80, name), ours)
    t.is(serverFor(configuration.servers, '127.0.0.1', 80, '192.0.2.1') === ours, isDefault)
    t.is(serverFor(configuration.servers, '127.0.0.1', 80, 'localhost')?.file, '/etc/nginx/nginx.conf')
  }
})

test('a vhost with an upstream block is one of ours too', (t) => {
  const text = `http { upstream x { server unix:${socketPath}; keepalive 0; } server { location / { proxy_pass http://x; } } }`
  t.is(serversFor(parseDump(dump({ '/etc/nginx/nginx.conf': text })), socketPath).length, 1)
  t.is(serversFor(parseDump(dump({ '/etc/nginx/nginx.conf': text })), '/run/other.sock').length, 0)
})

test('default_server, exact addresses, wildcards and regular expressions choose the server as nginx does', (t) => {
  const { servers } = parseDump(
    dump({
      '/etc/nginx/nginx.conf': `http {
        server { listen 80; server_name first.example; }
        server { listen 80 default_server; server_name _; }
        server { listen 80; server_name *.example.org; }
        server { listen 80; server_name ~^host\\d+\\.example\\.org$; }
        server { listen 80; server_name mail.*; }
        server { listen 80; server_name .example.net first.example; }
        server { listen 127.0.0.2:80; server_name alone.example; }
        server { listen [::]:80; listen [::1]:8080 ssl; server_name six.example; }
        server { listen unix:/run/x.sock; }
      }`
    })
  )
  const chosen = (address: string, host: string, port = 80) => servers.indexOf(serverFor(servers, address, port, host) as never)
  t.is(chosen('127.0.0.1', 'first.example'), 0)
  t.is(chosen('127.0.0.1', 'unknown'), 1)
  t.is(chosen('127.0.0.1', 'host7.example.org'), 2)
  t.is(chosen('127.0.0.1', 'mail.example'), 4)
  t.is(chosen('127.0.0.1', 'example.net'), 5)
  t.is(chosen('127.0.0.1', 'www.example.net'), 5)
  t.is(chosen('127.0.0.2', 'first.example'), 6)
  t.is(chosen('::1', 'whatever'), 7)
  t.is(chosen('::1', 'whatever', 8080), 7)
  t.is(chosen('127.0.0.1', 'first.example', 8081), -1)
})
