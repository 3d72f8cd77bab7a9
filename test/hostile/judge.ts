import { STATUS_CODES } from 'node:http'
import type { Exchange, RawAnswer } from './exchange.js'

/** Everything that a body of the service may be, whatever was asked. */
function isOurs({ status, head, body }: RawAnswer): boolean {
  // The health document is asked for by name, and held to its contents by tests of its own.
  if (/^content-type: application\/health\+json/im.test(head)) return body.startsWith('{"status":"pass",') || body === ''
  return body === '' || body === '{"status":"ok"}' || body === JSON.stringify({ detail: STATUS_CODES[status] })
}

/** nginx's own pages; where no Host is known they come from its default server, which is not ours to set. */
function isOfNginx({ body }: RawAnswer): boolean {
  return /^<html>\r\n<head><title>\d{3} [\w\- ]+<\/title><\/head>\r\n<body>\r\n[^/]*(<\/h1><\/center>\r\n(<center>[\w\- ]+<\/center>\r\n)?)<hr><center>nginx[\/\d.]*<\/center>/.test(body)
}

/** What is wrong with what came back, whatever was sent: empty where nothing is. */
export function faultsOf({ answers, rest }: Exchange, through: 'socket' | 'nginx'): string[] {
  const faults: string[] = []
  for (const answer of answers) {
    if (!isOurs(answer) && !(through === 'nginx' && isOfNginx(answer))) faults.push(`a body of its own: ${answer.body}`)
    if (answer.status >= 500 && (isOurs(answer) || [500, 502, 503, 504].includes(answer.status))) faults.push(`status ${answer.status}`)
    if (/^(server|x-powered-by):/im.test(answer.head.replace(through === 'nginx' ? /^server: nginx[/\d.]*$/im : '', ''))) faults.push(`a header that tells too much: ${answer.head}`)
  }
  // HTTP/0.9 has no head; all else that is no answer is a fault.
  if (rest !== '' && !(through === 'nginx' && isOfNginx({ status: 0, head: '', body: rest }))) faults.push(`bytes that are no answer: ${JSON.stringify(rest)}`)
  return faults
}

/** Statuses in order, equal ones counted: `200x3 400`. */
export function statusLine(statuses: number[]): string {
  const runs: { status: number; times: number }[] = []
  for (const status of statuses) {
    const last = runs.at(-1)
    if (last?.status === status) last.times++
    else runs.push({ status, times: 1 })
  }
  return runs.map(({ status, times }) => (times > 1 ? `${status}x${times}` : String(status))).join(' ') || 'closed'
}
