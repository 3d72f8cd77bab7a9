/** What of the site can be set: the directives' arguments, one entry for each directive. Undefined: leave it. */
export interface SiteOptions {
  listens: string[] | undefined
  names: string[] | undefined
}

const setMark = "# set by 'fastapi-health nginx enable'"
const beforeMark = "# before 'fastapi-health nginx enable': "

/**
 * Sets `listen` and `server_name` in the text of a site. What stood there is kept as a comment, from which
 * {@link restoreSite} makes the text as it was. Lines of TLS are left alone.
 */
export function setSite(text: string, { listens, names }: SiteOptions): string {
  let result = text
  if (listens !== undefined) result = setDirective(result, 'listen', listens)
  if (names !== undefined) result = setDirective(result, 'server_name', [names.join(' ')])
  return result
}

/** The text as it was before the first {@link setSite}, byte for byte. */
export function restoreSite(text: string): string {
  return restoreDirective(restoreDirective(text, 'listen'), 'server_name')
}

function setDirective(text: string, name: string, values: string[]): string {
  const lines = restoreDirective(text, name).split('\n')
  const isOurs = new RegExp(`^\\s*${name}\\s(?![^;]*\\b(?:ssl|quic)\\b)[^;]*;`)
  const replaced = lines.map((line) => isOurs.test(line))
  const serverAt = lines.findIndex((line) => /^\s*server\s*\{/.test(line))
  // Where the line is missing, right after "server {".
  const at = replaced.includes(true) ? replaced.indexOf(true) : serverAt + 1
  const indent = /^\s*/.exec(lines[at] ?? '')?.[0] ?? ''
  const added = values.map((value) => `${indent}${name} ${value}; ${setMark}`)
  return lines
    .flatMap((line, index) => {
      const kept = replaced[index] === true ? line.replace(/^\s*/, (blank) => blank + beforeMark) : line
      return index === at ? [...added, kept] : [kept]
    })
    .join('\n')
}

function restoreDirective(text: string, name: string): string {
  return text
    .split('\n')
    .filter((line) => !(line.endsWith(setMark) && line.trimStart().startsWith(`${name} `)))
    .map((line) => (line.includes(`${beforeMark}${name}`) ? line.replace(beforeMark, '') : line))
    .join('\n')
}
