import { request } from 'node:http'
import { readConfiguration, type Server } from './configuration.js'
import { siteFile } from './paths.js'

const timeoutMs = 10_000

/** A URL that the site answers, with the address to connect to. */
interface Door {
  url: string
  host: string
  address: string
  port: number
}

/** Asks nginx for the service's health as a client would; one line that says what came. */
export async function probe(): Promise<string> {
  const reading = await readConfiguration()
  if (!('configuration' in reading)) return reading.problem
  const door = doorOf(reading.configuration.servers.filter(({ file }) => file === siteFile))
  if (door === undefined) return 'The site has no plain HTTP listener on this host to ask for /health.'
  return `${door.url} answers: ${await answerOf(door)}`
}

function doorOf(servers: Server[]): Door | undefined {
  for (const { listens, names } of servers) {
    const listen = listens.find(({ isTls, port }) => !isTls && port > 0)
    const name = names.find((each) => /^[\w.:-]+$/.test(each))
    if (listen === undefined) continue
    const { port } = listen
    const address = listen.address === '*' ? '127.0.0.1' : listen.address === '[::]' ? '::1' : listen.address.replace(/^\[|\]$/g, '')
    const host = name ?? address
    return { url: `http://${host}${port === 80 ? '' : `:${port}`}/health`, host, address, port }
  }
  return undefined
}

function answerOf({ host, address, port }: Door): Promise<string> {
  return new Promise((resolve) => {
    const asked = request({ host: address, port, path: '/health', headers: { Host: host, Connection: 'close' } }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('close', () => resolve(`${response.statusCode} ${body.slice(0, 100).trim().split('\n')[0]}`))
    })
    asked.setTimeout(timeoutMs, () => asked.destroy(new Error(`nothing within ${timeoutMs / 1000} s`)))
    asked.on('error', (error) => resolve(error.message))
    asked.end()
  })
}
