import { createServer, type AddressInfo } from 'node:net'
import test from 'ava'
import { portHolder } from '../../../../src/admin/doctor/ports.js'

test('who listens on a port is found, on IPv4 and on IPv6', async (t) => {
  for (const address of ['127.0.0.1', '::1']) {
    const server = createServer().listen(0, address)
    t.teardown(() => server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    t.is((await portHolder(port))?.pid, process.pid)
  }
})

test('a port that nobody listens on has no holder', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  t.is(await portHolder(port), undefined)
})
