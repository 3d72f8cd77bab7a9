'use strict'
// Fastify as a peer of the benchmark: the same answer, under the very same unit.
const { createServer } = require('node:http')
const { writeSync } = require('node:fs')

let answer
const app = require('fastify')({ serverFactory: (listener) => (answer = createServer(listener)) })
app.get('/health', async (request, reply) => {
  reply.header('Cache-Control', 'no-store').header('Vary', 'Accept')
  return { status: 'ok' }
})
app.ready().then(() =>
  answer.listen({ fd: 3 }, 4096, () => {
    writeSync(4, 'READY=1')
    setInterval(() => writeSync(4, 'WATCHDOG=1'), 3000).unref()
  })
)
process.on('SIGTERM', () => process.exit(0))
