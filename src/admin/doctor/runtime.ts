import { dirname } from 'node:path'
import { finding, socketUnit, type Check } from './finding.js'
import { octal, ownerNames, statusOf } from './status.js'
import { shellWord } from './words.js'

const recreate = 'systemd-tmpfiles --create fastapi-health.conf'

/** Whether the socket's directory is there, nobody but root may change it, and clients get through it. */
export const runtimeDirectory: Check = async ({ socketPath, tcpUrl }) => {
  const check = 'runtime directory'
  if (tcpUrl !== undefined) return [finding(check, 'skipped', `not used: the socket listens on ${tcpUrl.host}`)]
  const folder = dirname(socketPath)
  const status = await statusOf(folder)
  // The packaged rule knows the packaged directory alone.
  const mendDirectory = folder === '/run/fastAPI' ? recreate : `install -d -o root -g root -m 755 ${shellWord(folder)}`
  if (status === undefined) {
    return [finding(check, 'fail', `${folder} is missing, and with it the socket's file`, `${mendDirectory} && systemctl restart ${socketUnit}`)]
  }
  const { user, group } = await ownerNames(status)
  const seen = `${folder} is ${user}:${group} ${octal(status)}`
  if (status.uid !== 0 || (status.mode & 0o022) !== 0) {
    return [finding(check, 'fail', `${seen}, expected root:root 0755: who may write there can put another socket in this one's place`, mendDirectory)]
  }
  if ((status.mode & 0o001) === 0) return [finding(check, 'fail', `${seen}, expected root:root 0755: clients cannot get through it`, mendDirectory)]
  return [finding(check, 'ok', seen)]
}

/** Whether the socket's file is there and lets in whom the unit says. */
export const socketFile: Check = async ({ socketPath, tcpUrl, units, uid }) => {
  const check = 'socket file'
  if (tcpUrl !== undefined) return [finding(check, 'skipped', `none: the socket listens on ${tcpUrl.host}`)]
  if (units?.socket['ActiveState'] !== 'active') return [finding(check, 'skipped', 'the socket is not active')]
  const status = await statusOf(socketPath)
  if (status === undefined || !status.isSocket()) {
    const seen = status === undefined ? 'is missing' : 'is no socket'
    return [finding(check, 'fail', `${socketPath} ${seen}, though the socket is active: clients cannot find it`, `systemctl restart ${socketUnit}`)]
  }
  const { user, group } = await ownerNames(status)
  const { SocketUser: wantedUser = '', SocketGroup: wantedGroup = '', SocketMode: wantedMode = '' } = units.socket
  const seen = `${socketPath} is ${user}:${group} ${octal(status)}`
  const wanted = { user: wantedUser || 'root', group: wantedGroup || group, mode: wantedMode.padStart(4, '0') }
  if (user !== wanted.user || group !== wanted.group || octal(status) !== wanted.mode) {
    const path = shellWord(socketPath)
    // In place: a restart of the socket would refuse who comes meanwhile.
    const mend = `chown ${wanted.user}:${wanted.group} ${path} && chmod ${wanted.mode} ${path}`
    const verdict = uid === 0 ? 'fail' : 'warn'
    return [finding(check, verdict, `${seen}, expected ${wanted.user}:${wanted.group} ${wanted.mode} as ${socketUnit} says`, mend)]
  }
  return [finding(check, 'ok', seen)]
}
