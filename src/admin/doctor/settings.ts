import { readFile } from 'node:fs/promises'
import { isExitError } from '../../exit.js'
import { readSettings } from '../../serve/settings.js'
import { envFile, finding, serviceUnit, type Check } from './finding.js'
import { parseEnvironment, parseEnvironmentFile } from './environment.js'
import { octal, ownerNames, statusOf } from './status.js'
import { shellWord } from './words.js'

/** Whether the service can start with its settings, those of drop-ins included. */
export const settings: Check = async ({ units }) => {
  const check = 'settings'
  const files = environmentFiles(units?.service['EnvironmentFiles'])
  const environment = parseEnvironment(units?.service['Environment'] ?? '')
  const origin = new Map(Object.keys(environment).map((name) => [name, `Environment= of ${serviceUnit}`]))
  for (const file of files) {
    let text: string
    try {
      text = await readFile(file, 'utf8')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') continue
      return [finding(check, 'skipped', `${file} cannot be read (${code}); run as root to look at it`)]
    }
    const variables = parseEnvironmentFile(text)
    Object.assign(environment, variables)
    for (const name of Object.keys(variables)) origin.set(name, file)
  }
  try {
    readSettings(environment)
    return [finding(check, 'ok', `${files.join(' ')}: every setting is allowed`)]
  } catch (error) {
    if (!isExitError(error)) throw error
    // No restart, which waits for ever where anything else keeps the service from starting. And the service of another
    // deployment is left alone until the packaged one replaces it.
    const isPackaged = units?.service['FragmentPath']?.startsWith('/usr/lib/') === true
    const apply = isPackaged ? ` && systemctl --no-warn stop ${serviceUnit}` : ''
    const problems = [...error.message.matchAll(/^ {2}((\w+)[=:].*)$/gm)].map(([, text = '', name = '']) => ({ text, name }))
    return [...new Set(problems.map(({ name }) => origin.get(name) ?? 'default'))].map((source) => {
      const here = problems.filter(({ name }) => (origin.get(name) ?? 'default') === source)
      const evidence = `${source}: ${here.map(({ text }) => text).join('; ')}`
      if (!source.startsWith('/')) return finding(check, 'fail', evidence)
      const names = here.map(({ name }) => name).join('|')
      const mend = `sed -i -E 's/^[[:space:]]*(${names})[[:space:]]*=/#&/' ${shellWord(source)}${apply}`
      return finding(check, 'fail', `${evidence}; back to the defaults:`, mend)
    })
  }
}

/** Whether the settings, which may hold what is nobody's business, are root's alone to write and not everybody's to read. */
export const settingsFile: Check = async () => {
  const check = 'settings file'
  const status = await statusOf(envFile)
  if (status === undefined) return [finding(check, 'ok', `${envFile} is not there: every setting has its default`)]
  const { user, group } = await ownerNames(status)
  const seen = `${envFile} is ${user}:${group} ${octal(status)}`
  const privately = `chown root:root ${envFile} && chmod u=rw,g=r,o= ${envFile}`
  if (status.uid !== 0 || (status.mode & 0o022) !== 0) return [finding(check, 'fail', `${seen}: others than root may change it`, privately)]
  if ((status.mode & 0o004) !== 0) return [finding(check, 'warn', `${seen}: everybody may read it`, privately)]
  return [finding(check, 'ok', seen)]
}

/** Paths of EnvironmentFiles, which systemctl prints as "PATH (ignore_errors=yes)". */
function environmentFiles(property: string | undefined): string[] {
  if (property === undefined) return [envFile]
  return property.split('\n').flatMap((line) => /^(.+) \(ignore_errors=\w+\)$/.exec(line)?.[1] ?? [])
}
