import { exists, octal, ownerNames, statusOf } from './status.js'
import { finding, type Check, type Finding } from './finding.js'

/** What the Python deployment that this package replaces left, and what takes it away. Units, tmpfiles
 * and nginx: see there. */
const table: { paths: string[]; verdict: 'warn' | 'fail'; what: string; mend: (found: string) => string }[] = [
  {
    paths: ['/opt/fastAPI/releases', '/opt/fastAPI/current'],
    verdict: 'warn',
    what: 'the releases of the old deployment',
    mend: () => 'rm -r /opt/fastAPI'
  },
  {
    paths: ['/var/lib/fastAPI/venvs', '/var/lib/fastAPI/current-venv'],
    verdict: 'warn',
    what: 'the virtual environments of the old deployment',
    mend: (found) => `rm -r ${found}`
  }
]

/** Whether the packaged rule is the one that sets up the socket's directory, at each boot. */
export const tmpfiles: Check = async () => {
  const check = 'tmpfiles'
  const path = '/etc/tmpfiles.d/fastAPI.conf'
  if (!(await exists(path))) return [finding(check, 'ok', 'the packaged rule sets up /run/fastAPI')]
  const evidence = `${path} of the old deployment sets up /run/fastAPI instead of the packaged rule`
  return [finding(check, 'warn', evidence, `rm ${path} && systemd-tmpfiles --create fastapi-health.conf`)]
}

/** Whether anything of the old deployment is left. */
export const leftovers: Check = async () => {
  const check = 'leftovers'
  const findings: Finding[] = []
  for (const { paths, verdict, what, mend } of table) {
    const found: string[] = []
    for (const path of paths) if (await exists(path)) found.push(path)
    if (found.length > 0) findings.push(finding(check, verdict, `${found.join(' and ')}: ${what}`, mend(found.join(' '))))
  }
  return findings.length > 0 ? findings : [finding(check, 'ok', 'nothing of an earlier deployment')]
}

/** Whether what is installed in a rollback can be changed by others than root. */
export const stateDirectory: Check = async () => {
  const check = 'state directory'
  const path = '/var/lib/fastAPI'
  const status = await statusOf(path)
  if (status === undefined) return [finding(check, 'warn', `${path} is missing`, 'systemd-tmpfiles --create fastapi-health.conf')]
  const { user, group } = await ownerNames(status)
  const seen = `${path} is ${user}:${group} ${octal(status)}`
  if (status.uid === 0 && (status.mode & 0o022) === 0) return [finding(check, 'ok', seen)]
  return [
    finding(check, 'fail', `${seen}, expected root:root 0755: packages that a rollback installs are kept there`, 'systemd-tmpfiles --create fastapi-health.conf')
  ]
}
