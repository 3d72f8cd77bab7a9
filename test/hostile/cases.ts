/** What a client does on one connection: bytes, as latin1; `of` sent `times` times; a pause; its end. */
export type Step = string | { of: string; times: number } | { waitMs: number } | { halfClose: true } | { reset: true }

/** One way of misbehaving, and what comes of it on the service's own socket and through nginx. */
export interface HostileCase {
  title: string
  send: Step[]
  /** Statuses of the answers, in order; empty: the connection ends without one. */
  socket: number[]
  nginx: number[]
  /** What nginx answers as well where two things race. */
  nginxOrElse?: number[]
  /** The answers have no body, as they are to HEAD. */
  bodiless?: true
}

const host = 'Host: fastapi.localhost\r\n'
const last = `${host}Connection: close\r\n\r\n`
const get = (target: string, version = 'HTTP/1.1'): string => `GET ${target} ${version}\r\n${last}`
const kib = (count: number, letter = 'a'): string => letter.repeat(count * 1024)
const good = get('/health')
const keptOpen = `GET /health HTTP/1.1\r\n${host}\r\n`

/** Requests that no honest client sends, or that few do, in the order of RFC 9112, with their answers. */
export const hostileCases: HostileCase[] = [
  // Request line
  { title: 'a plain request, to compare with', send: [good], socket: [200], nginx: [200] },
  { title: 'no request at all, then the end', send: [{ halfClose: true }], socket: [], nginx: [] },
  { title: 'empty lines before the request', send: ['\r\n\r\n', good], socket: [200], nginx: [200] },
  { title: 'a line of spaces', send: ['   \r\n\r\n'], socket: [400], nginx: [400] },
  { title: 'only a method', send: ['GET\r\n\r\n'], socket: [400], nginx: [400] },
  { title: 'a method in small letters', send: [`get /health HTTP/1.1\r\n${last}`], socket: [400], nginx: [400] },
  { title: 'a method that nobody knows', send: [`FROBNICATE /health HTTP/1.1\r\n${last}`], socket: [400], nginx: [400] },
  { title: 'a method of 64 KiB', send: [kib(64, 'G'), ` /health HTTP/1.1\r\n${last}`], socket: [400], nginx: [414] },
  { title: 'two spaces before the target', send: [`GET  /health HTTP/1.1\r\n${last}`], socket: [200], nginx: [200] },
  { title: 'a space inside the target', send: [get('/hea lth')], socket: [400], nginx: [400] },
  { title: 'a tab for a space', send: [`GET\t/health\tHTTP/1.1\r\n${last}`], socket: [400], nginx: [400] },
  { title: 'no target', send: [`GET HTTP/1.1\r\n${last}`], socket: [400], nginx: [400] },
  { title: 'a target without its slash', send: [get('health')], socket: [400], nginx: [400] },
  { title: 'a target of 20 KiB', send: [get(`/${kib(20)}`)], socket: [431], nginx: [414] },
  { title: 'a request line that never ends', send: [{ of: kib(16), times: 64 }], socket: [400], nginx: [400] },
  { title: 'TLS where plain text is expected', send: ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + kib(1, '\x00')], socket: [400], nginx: [400] },
  { title: 'an SSH greeting', send: ['SSH-2.0-OpenSSH_10.0\r\n'], socket: [400], nginx: [400] },

  // Version
  // nginx answers in kind: the body alone.
  { title: 'HTTP/0.9 without a version', send: ['GET /health\r\n\r\n'], socket: [400], nginx: [] },
  { title: 'HTTP/0.9 by name', send: [get('/health', 'HTTP/0.9')], socket: [400], nginx: [400] },
  // Without a Host, or with another one, nginx asks its default server.
  { title: 'HTTP/1.0 without a Host', send: ['GET /health HTTP/1.0\r\n\r\n'], socket: [200], nginx: [404] },
  { title: 'HTTP/1.2', send: [get('/health', 'HTTP/1.2')], socket: [400], nginx: [200] },
  { title: 'HTTP/2.0 in the request line', send: [get('/health', 'HTTP/2.0')], socket: [400], nginx: [505] },
  { title: 'HTTP/9.9', send: [get('/health', 'HTTP/9.9')], socket: [400], nginx: [505] },
  { title: 'a version in small letters', send: [get('/health', 'http/1.1')], socket: [400], nginx: [400] },
  { title: 'a version of many digits', send: [get('/health', 'HTTP/1.11111111111')], socket: [400], nginx: [400] },
  { title: "HTTP/2's preface", send: ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'], socket: [400], nginx: [400] },

  // Target
  { title: 'absolute form', send: [get('http://fastapi.localhost/health')], socket: [200], nginx: [200] },
  { title: 'absolute form of another server', send: [get('http://example.com/health')], socket: [200], nginx: [404] },
  { title: 'absolute form of a file', send: [get('file:///etc/passwd')], socket: [404], nginx: [400] },
  { title: 'authority form with GET', send: [get('example.com:80')], socket: [400], nginx: [400] },
  { title: 'asterisk form with GET', send: [get('*')], socket: [404], nginx: [400] },
  { title: 'OPTIONS *', send: [`OPTIONS * HTTP/1.1\r\n${last}`], socket: [404], nginx: [400] },
  { title: 'dots', send: [get('/../../etc/passwd')], socket: [404], nginx: [400] },
  { title: 'encoded dots', send: [get('/%2e%2e/%2e%2e/etc/passwd')], socket: [404], nginx: [400] },
  { title: 'doubly encoded dots', send: [get('/%252e%252e%252fetc/passwd')], socket: [404], nginx: [404] },
  { title: 'dots that lead to the health', send: [get('/x/../health')], socket: [404], nginx: [404] },
  { title: 'an encoded letter', send: [get('/heal%74h')], socket: [404], nginx: [404] },
  { title: 'an encoded NUL', send: [get('/health%00')], socket: [404], nginx: [400] },
  { title: 'a broken escape', send: [get('/%zz')], socket: [404], nginx: [400] },
  { title: 'an overlong UTF-8 slash', send: [get('/..%c0%af..%c0%afetc')], socket: [404], nginx: [404] },
  { title: 'bytes that are no UTF-8', send: [get('/\xff\xfe\x80')], socket: [400], nginx: [404] },
  { title: 'a backslash', send: [get('/..\\..\\etc')], socket: [404], nginx: [404] },
  { title: 'two slashes and a host', send: [get('//example.com/health/')], socket: [404], nginx: [404] },
  { title: 'an encoded line feed in a redirect', send: [get('/health/?a=%0d%0aSet-Cookie:%20a=b')], socket: [307], nginx: [307] },
  { title: 'bytes past ASCII in a redirect', send: [get('/health/?\xe9\xff')], socket: [400], nginx: [307] },
  { title: 'a query of 7 KiB', send: [get(`/health?${kib(7)}`)], socket: [200], nginx: [200] },
  { title: 'a fragment', send: [get('/health#x')], socket: [200], nginx: [200] },

  // Host
  { title: 'no Host', send: ['GET /health HTTP/1.1\r\nConnection: close\r\n\r\n'], socket: [400], nginx: [400] },
  { title: 'two Hosts', send: [`GET /health HTTP/1.1\r\nHost: a\r\n${last}`], socket: [400], nginx: [400] },
  { title: 'two equal Hosts', send: [`GET /health HTTP/1.1\r\n${host}${last}`], socket: [400], nginx: [400] },
  { title: 'a Host with a space', send: ['GET /health HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n'], socket: [400], nginx: [400] },
  { title: 'a Host with a slash', send: ['GET /health HTTP/1.1\r\nHost: a/../b\r\nConnection: close\r\n\r\n'], socket: [400], nginx: [400] },

  // Header fields
  // nginx hands over fields of its own only.
  { title: 'a field of 20 KiB', send: [`GET /health HTTP/1.1\r\nX: ${kib(20)}\r\n${last}`], socket: [431], nginx: [400] },
  { title: 'a field that never ends', send: ['GET /health HTTP/1.1\r\nX: ', { of: kib(16), times: 64 }], socket: [431], nginx: [400] },
  { title: '101 fields', send: [`GET /health HTTP/1.1\r\n${'X: y\r\n'.repeat(99)}${last}`], socket: [431], nginx: [200] },
  { title: '90 fields', send: [`GET /health HTTP/1.1\r\n${'X: y\r\n'.repeat(88)}${last}`], socket: [200], nginx: [200] },
  { title: '10,000 fields', send: ['GET /health HTTP/1.1\r\n', { of: 'X: y\r\n', times: 10_000 }, last], socket: [431], nginx: [400] },
  { title: 'a line without a colon', send: [`GET /health HTTP/1.1\r\nnonsense\r\n${last}`], socket: [400], nginx: [200] },
  { title: 'a space before the colon', send: [`GET /health HTTP/1.1\r\nX : y\r\n${last}`], socket: [400], nginx: [400] },
  { title: 'a field without a name', send: [`GET /health HTTP/1.1\r\n: y\r\n${last}`], socket: [400], nginx: [400] },
  { title: 'a folded line (obs-fold)', send: [`GET /health HTTP/1.1\r\nX: y\r\n z\r\n${last}`], socket: [400], nginx: [400] },
  { title: 'a NUL in a value', send: [`GET /health HTTP/1.1\r\nX: a\x00b\r\n${last}`], socket: [400], nginx: [400] },
  { title: 'a NUL in a name', send: [`GET /health HTTP/1.1\r\nX\x00: b\r\n${last}`], socket: [400], nginx: [400] },
  { title: 'a bare CR in a value', send: [`GET /health HTTP/1.1\r\nX: a\rb\r\n${last}`], socket: [400], nginx: [400] },
  { title: 'bare LF for line ends', send: [good.replaceAll('\r\n', '\n')], socket: [400], nginx: [200] },
  { title: 'bare CR for line ends', send: [good.replaceAll('\r\n', '\r'), { halfClose: true }], socket: [400], nginx: [400] },
  { title: 'bytes past ASCII in a value', send: [`GET /health HTTP/1.1\r\nX: \xff\xfe\x9b2J\r\n${last}`], socket: [200], nginx: [200] },
  { title: 'a terminal escape in a value', send: [`GET /health HTTP/1.1\r\nX: \x1b[2J\r\n${last}`], socket: [400], nginx: [200] },

  // Body
  { title: 'a small body with GET', send: [`GET /health HTTP/1.1\r\nContent-Length: 4\r\n${last}body`], socket: [200], nginx: [200] },
  { title: 'a body where none is announced', send: [`${keptOpen}body\r\n\r\n`], socket: [200, 400], nginx: [200, 400] },
  { title: '1 GiB announced and not sent', send: [`POST /health HTTP/1.1\r\nContent-Length: 1073741824\r\n${host}\r\n`], socket: [405], nginx: [413] },
  { title: '1 GiB sent', send: [`POST /health HTTP/1.1\r\nContent-Length: 1073741824\r\n${host}\r\n`, { of: kib(64), times: 16_384 }], socket: [405], nginx: [413] },
  { title: '1 GiB sent with GET', send: [`GET /health HTTP/1.1\r\nContent-Length: 1073741824\r\n${host}\r\n`, { of: kib(64), times: 16_384 }], socket: [200], nginx: [413] },
  { title: '1 GiB sent in chunks', send: [`POST /health HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${host}\r\n`, { of: `10000\r\n${kib(64)}\r\n`, times: 16_384 }], socket: [405], nginx: [413] },
  { title: 'a length that is negative', send: [`POST /health HTTP/1.1\r\nContent-Length: -1\r\n${last}`], socket: [400], nginx: [400] },
  { title: 'a length that is no number', send: [`POST /health HTTP/1.1\r\nContent-Length: 1e3\r\n${last}`], socket: [400], nginx: [400] },
  { title: 'a length past 64 bits', send: [`POST /health HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n${last}`], socket: [400], nginx: [400] },
  { title: 'two lengths that differ', send: [`POST /health HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n${last}ab`], socket: [400], nginx: [400] },
  { title: 'two lengths that are equal', send: [`POST /health HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n${last}a`], socket: [400], nginx: [400] },
  { title: 'length and chunks', send: [`POST /health HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n${last}0\r\n\r\n`], socket: [400], nginx: [400] },
  { title: 'chunks and length, with a request hidden behind', send: [`POST /health HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n${host}\r\n0\r\n\r\n${good}`], socket: [400], nginx: [400] },
  { title: 'an encoding that nobody knows', send: [`POST /health HTTP/1.1\r\nTransfer-Encoding: rot13\r\n${last}`], socket: [405], nginx: [501] },
  { title: 'chunked twice', send: [`POST /health HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n${last}0\r\n\r\n`], socket: [400], nginx: [400] },
  { title: 'chunked that is not the last encoding', send: [`POST /health HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n${last}0\r\n\r\n`], socket: [400], nginx: [501] },
  { title: 'chunks with HTTP/1.0', send: [`POST /health HTTP/1.0\r\nTransfer-Encoding: chunked\r\n${last}0\r\n\r\n`], socket: [405], nginx: [400] },
  { title: 'a chunk size that is no number', send: [`POST /health HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${last}xyz\r\n`], socket: [405], nginx: [400] },
  { title: 'a chunk size past 64 bits', send: [`POST /health HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${last}fffffffffffffffff\r\n`], socket: [405], nginx: [400] },
  { title: 'a chunk longer than it says', send: [`POST /health HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${last}1\r\nabc\r\n0\r\n\r\n`], socket: [405], nginx: [400] },
  { title: 'a chunk extension of 64 KiB', send: [`POST /health HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${last}1;${kib(64)}\r\na\r\n0\r\n\r\n`], socket: [405], nginx: [405] },

  // Other features
  { title: 'HEAD', send: [good.replace('GET', 'HEAD')], socket: [200], nginx: [200], bodiless: true },
  { title: 'TRACE', send: [good.replace('GET', 'TRACE')], socket: [405], nginx: [405] },
  { title: 'CONNECT', send: [`CONNECT example.com:443 HTTP/1.1\r\n${last}`], socket: [405], nginx: [405] },
  { title: 'Expect: 100-continue, with a body held back', send: [`POST /health HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n${last}`], socket: [405], nginx: [100] },
  { title: 'an expectation that nobody knows', send: [`GET /health HTTP/1.1\r\nExpect: the-unexpected\r\n${last}`], socket: [417], nginx: [200] },
  { title: 'Upgrade to a WebSocket', send: [`GET /health HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${host}\r\n`], socket: [200], nginx: [200] },
  { title: 'Upgrade to h2c', send: [`GET /health HTTP/1.1\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nConnection: Upgrade, HTTP2-Settings\r\n${host}\r\n`], socket: [200], nginx: [200] },
  { title: 'a Range', send: [`GET /health HTTP/1.1\r\nRange: bytes=0-0,-1\r\n${last}`], socket: [200], nginx: [200] },
  { title: 'X-Forwarded-For with a script', send: [`GET /health HTTP/1.1\r\nX-Forwarded-For: <script>\r\n${last}`], socket: [200], nginx: [200] },
  { title: 'an override of the method', send: [`POST /health HTTP/1.1\r\nX-HTTP-Method-Override: GET\r\n${last}`], socket: [405], nginx: [405] },

  // Connections
  { title: 'a good request, then garbage', send: [`${keptOpen}\x00\x01garbage\r\n\r\n`], socket: [200, 400], nginx: [200, 400] },
  // nginx takes a half-closed connection for a client that has gone, unless the answer is there before it looks.
  { title: 'half-closed after the request', send: [keptOpen, { halfClose: true }], socket: [200], nginx: [], nginxOrElse: [200] },
  { title: 'half-closed within the request', send: ['GET /health HTTP/1.1\r\nHo', { halfClose: true }], socket: [400], nginx: [] },
  { title: 'reset after the request', send: [keptOpen, { reset: true }], socket: [], nginx: [] },
  { title: 'reset within the request', send: ['GET /health HTTP/1.1\r\nHo', { reset: true }], socket: [], nginx: [] },
  { title: 'byte by byte', send: [...good].flatMap((byte) => [byte, { waitMs: 1 }]), socket: [200], nginx: [200] },
  { title: '10,000 requests at once on one connection', send: [{ of: keptOpen, times: 9_999 }, good], socket: Array<number>(10_000).fill(200), nginx: Array<number>(1_000).fill(200) },
  // Past the 10 s of the service; nginx waits for its client_header_timeout of 60 s, longer than a test does.
  { title: 'a request that is never finished', send: ['GET /health HTTP/1.1\r\nHo'], socket: [408], nginx: [] },
  { title: 'headers that drip', send: ['GET /health HTTP/1.1\r\n', ...Array.from({ length: 30 }, (_, index) => [`X-${index}: y\r\n`, { waitMs: 500 }]).flat()], socket: [408], nginx: [] },
  { title: 'a body that drips', send: [`POST /health HTTP/1.1\r\nContent-Length: 30\r\n${host}\r\n`, ...Array.from({ length: 30 }, () => ['b', { waitMs: 100 }]).flat()], socket: [405], nginx: [405] },
  { title: 'a connection that says nothing', send: [], socket: [408], nginx: [] }
]
