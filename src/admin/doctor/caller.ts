import { access, constants } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { run } from '../run.js'
import { finding, type Check } from './finding.js'
import { ownerNames, statusOf } from './status.js'
import { shellWord } from './words.js'

/** Whether who asks may connect to the socket. */
export const callerPermission: Check = async ({ uid, socketPath, tcpUrl }) => {
  const check = 'caller'
  if (tcpUrl !== undefined) return [finding(check, 'ok', `everybody who reaches ${tcpUrl.host} may connect`)]
  if (uid === 0) return [finding(check, 'ok', 'root may connect')]
  const { username } = userInfo()
  const status = await statusOf(socketPath)
  if (status === undefined) return [finding(check, 'skipped', `${socketPath} is not there, or not to be seen by ${username}`)]
  const problem = await access(socketPath, constants.R_OK | constants.W_OK).catch((error: NodeJS.ErrnoException) => error.code)
  if (problem === undefined) return [finding(check, 'ok', `${username} may connect`)]
  const { group } = await ownerNames(status)
  const members = (await run('getent', ['group', group])).stdout.trim().split(':')[3]?.split(',') ?? []
  if (members.includes(username)) {
    return [finding(check, 'fail', `${username} is in group ${group}, but not since this session began: log in again`)]
  }
  return [finding(check, 'fail', `${username} may not connect: not in group ${group}; after the command, log in again`, `usermod -aG ${shellWord(group)} ${shellWord(username)}`)]
}
