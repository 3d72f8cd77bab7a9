import { isIP } from 'node:net'
import { exitError, exitStatus } from '../../exit.js'

/**
 * An address for `listen`: a port of all IPv4 addresses, or an address with a port. A port alone means no IPv6, as
 * everywhere in nginx: where the other sites of the port do not listen on it, this one would answer for all of them.
 *
 * @throws exitError 64 for anything else.
 */
export function listenAddress(text: string): string {
  const match = /^(?:(?:\[([^\]]+)\]|([^:]+)):)?(\d{1,5})$/.exec(text)
  const [, v6, v4, port = ''] = match ?? []
  const isPort = Number(port) >= 1 && Number(port) <= 65_535
  const isAddress = v6 !== undefined ? isIP(v6) === 6 : v4 === undefined || v4 === '*' || isIP(v4) === 4
  if (match === null || !isPort || !isAddress) {
    throw exitError(
      exitStatus.usage,
      `nginx: --listen: expected PORT, IPV4:PORT or [IPV6]:PORT, such as 8080 or 127.0.0.1:8080, got ${JSON.stringify(text)}`
    )
  }
  return text
}

/**
 * A name for `server_name`: a host name, an IP address, or one with a leading or trailing `*`.
 *
 * @throws exitError 64 for anything else; above all for what would be more than a name in nginx's configuration.
 */
export function serverName(text: string): string {
  if (/^(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_.:-]{0,251}[A-Za-z0-9_])?(?:\.\*)?$/.test(text)) return text
  throw exitError(exitStatus.usage, `nginx: --server-name: expected a host name, got ${JSON.stringify(text)}`)
}
