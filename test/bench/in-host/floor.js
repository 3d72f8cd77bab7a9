'use strict'
// The floor: the least that node:http needs to give the same answer, under the very same unit. It tells systemd that
// it is ready and alive, because that unit waits for both.
const { createServer } = require('node:http')
const { writeSync } = require('node:fs')

createServer((request, response) => {
  response.writeHead(200, { 'Cache-Control': 'no-store', Vary: 'Accept', 'Content-Type': 'application/json', 'Content-Length': 15 })
  response.end('{"status":"ok"}')
}).listen({ fd: 3 }, 4096, () => {
  try {
    writeSync(4, 'READY=1')
    setInterval(() => writeSync(4, 'WATCHDOG=1'), 3000).unref()
  } catch {
    // Under a unit without OpenFile= there is no descriptor 4.
  }
})
process.on('SIGTERM', () => process.exit(0))
