/**
 * Reads a file of EnvironmentFile=, systemd.exec(5): NAME=value lines, comments that start with # or ;, quotes, and a
 * backslash that joins lines or takes the next character literally.
 */
export function parseEnvironmentFile(text: string): Record<string, string> {
  const variables: Record<string, string> = {}
  for (const line of text.replace(/\\\n/g, '').split('\n')) {
    const match = /^\s*([A-Za-z_]\w*)\s*=(.*)$/.exec(line)
    if (match !== null) variables[match[1] as string] = unquote((match[2] as string).trim())
  }
  return variables
}

/** Reads the property Environment, as systemctl prints it: assignments between blanks, quoted where they hold any. */
export function parseEnvironment(property: string): Record<string, string> {
  const variables: Record<string, string> = {}
  for (const [word] of property.matchAll(/(?:"(?:\\.|[^"])*"|'[^']*'|\\.|[^\s"'])+/g)) {
    const match = /^\$?([A-Za-z_]\w*)=([^]*)$/.exec(unquote(word))
    if (match !== null) variables[match[1] as string] = match[2] as string
  }
  return variables
}

function unquote(text: string): string {
  return text.replace(/"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/g, (_all, double?: string, single?: string, escaped?: string) =>
    double !== undefined ? double.replace(/\\(["\\$`])/g, '$1') : (single ?? escaped ?? '')
  )
}
