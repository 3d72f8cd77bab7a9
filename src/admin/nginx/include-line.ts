import { exitError, exitStatus } from '../../exit.js'
import { includeDirective, nginxConf } from './paths.js'
import { parseNginx } from './syntax.js'

/** How the line is known again, among others of the same meaning that a person wrote. */
const marker = "# added by 'fastapi-health nginx enable'"
const ownLine = `    ${includeDirective} ${marker}\n`
// Where the closing brace of http {} shares its line with something else.
const splitLine = `\n    ${includeDirective} ${marker}, with the line break before it\n`

/** The number, from 1, of the line that {@link addInclude} added to `text`, or undefined where there is none. */
export function includeLine(text: string): number | undefined {
  const at = text.indexOf(`${includeDirective} ${marker}`)
  return at < 0 ? undefined : text.slice(0, at).split('\n').length
}

/**
 * Adds the include line at the end of http {}: nginx takes the first server of a port as its default, and the sites
 * that were there shall stay first.
 *
 * @throws exitError 1 where `text` has no http {}.
 */
export function addInclude(text: string): string {
  if (includeLine(text) !== undefined) return text
  const closesAt = parseNginx(text, nginxConf).find(({ name, block }) => name === 'http' && block !== undefined)?.closesAt
  if (closesAt === undefined) {
    throw exitError(
      exitStatus.failed,
      `expected http { ... } in ${nginxConf}, found none; nothing was changed\nPut this line where your http {} ends:\n    ${includeDirective}`
    )
  }
  const lineStart = text.lastIndexOf('\n', closesAt - 1) + 1
  const isAlone = /^[ \t]*$/.test(text.slice(lineStart, closesAt))
  return isAlone
    ? text.slice(0, lineStart) + ownLine + text.slice(lineStart)
    : text.slice(0, closesAt) + splitLine + text.slice(closesAt)
}

/** Takes out what {@link addInclude} added, and nothing else. */
export function removeInclude(text: string): string {
  return text.replace(splitLine, '').replace(ownLine, '')
}
