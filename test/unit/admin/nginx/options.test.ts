import test from 'ava'
import { listenAddress, serverName } from '../../../../src/admin/nginx/options.js'

test('--listen takes a port, or an address with a port', (t) => {
  for (const text of ['8080', '127.0.0.1:80', '*:81', '[::1]:65535']) t.is(listenAddress(text), text)
})

for (const text of ['', '0', '65536', 'http', ':80', '1.2.3:80', 'example.org:80', '::1:80', '[1.2.3.4]:80', '80 default_server', '80;', '80\n', '-1']) {
  test(`--listen ${JSON.stringify(text)} is refused`, (t) => {
    t.throws(() => listenAddress(text), { message: /--listen: expected PORT, IPV4:PORT or \[IPV6\]:PORT/ })
  })
}

test('--server-name takes names, addresses and wildcards', (t) => {
  for (const text of ['example.org', 'localhost', '*.example.org', 'www.example.*', '_', '127.0.0.1', 'xn--bcher-kva.example']) t.is(serverName(text), text)
})

for (const text of ['', ' ', 'a b', 'a;', 'a{', '~^www', '"a"', 'a\nb', '#a', '$host', '-a', 'a.', '*', '*a.example', 'x'.repeat(300)]) {
  test(`--server-name ${JSON.stringify(text.slice(0, 20))} is refused`, (t) => {
    t.throws(() => serverName(text), { message: /--server-name: expected a host name/ })
  })
}
