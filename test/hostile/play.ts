import { hostileCases, type HostileCase } from './cases.js'
import { exchange, type Exchange, type Target } from './exchange.js'

/** On the socket more than the slowest limit takes to strike; nginx's own are a minute, too long to wait for. */
const timeoutMs = { socket: 20_000, nginx: 8_000 }

/** The exchange of one case, by its title. */
export interface CaseExchange extends Exchange {
  title: string
}

/** Plays every case at once, each on its own connection. */
export function playAll(target: Target, through: 'socket' | 'nginx'): Promise<CaseExchange[]> {
  return Promise.all(hostileCases.map((one) => play(target, through, one)))
}

async function play(target: Target, through: 'socket' | 'nginx', one: HostileCase, tries = 3): Promise<CaseExchange> {
  const { title, send, bodiless } = one
  const found = await exchange(target, send, one[through].length, timeoutMs[through], bodiless && 'all')
  // The service may answer and close while Node writes: then Node's client drops the answer that it has not read yet.
  return found.brokenPipe && found.answers.length === 0 && tries > 1 ? play(target, through, one, tries - 1) : { title, ...found }
}
