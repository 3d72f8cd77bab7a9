/** One directive of nginx's configuration, with where it stands. */
export interface Directive {
  name: string
  args: string[]
  /** What stands between its braces; undefined where it ends with a semicolon. */
  block?: Directive[]
  /** Where its closing brace stands in the file: so many characters from its start. */
  closesAt?: number
  file: string
  line: number
}

/** A word, or one of `;`, `{` and `}`. */
interface Token {
  text: string
  quoted: boolean
  line: number
  at: number
}

/**
 * Reads one file of nginx's configuration, as ngx_conf_read_token() does: words, quotes, backslashes, comments.
 * Meant for what nginx itself has accepted; of anything else it reads what it can.
 */
export function parseNginx(text: string, file: string): Directive[] {
  const tokens = tokenize(text)
  let at = 0

  function block(): Directive[] {
    const directives: Directive[] = []
    let words: Token[] = []
    for (; at < tokens.length; at++) {
      const token = tokens[at] as Token
      if (token.quoted || !/^[;{}]$/.test(token.text)) {
        words.push(token)
        continue
      }
      if (token.text === '}') return directives
      const [name, ...args] = words
      words = []
      if (token.text === '{') at++
      const inner = token.text === '{' ? block() : undefined
      if (name === undefined) continue
      const directive = { name: name.text, args: args.map((word) => word.text), file, line: name.line }
      const closesAt = tokens[at]?.at
      directives.push(inner === undefined ? directive : { ...directive, block: inner, ...(closesAt !== undefined && { closesAt }) })
    }
    return directives
  }

  const directives: Directive[] = []
  // A closing brace too many ends block() early.
  for (; at < tokens.length; at++) directives.push(...block())
  return directives
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  let line = 1
  let at = 0
  const take = (): string => {
    const character = text[at++] ?? ''
    if (character === '\n') line++
    return character
  }
  while (at < text.length) {
    const startLine = line
    const startAt = at
    const character = take()
    if (/\s/.test(character)) continue
    if (character === '#') {
      while (at < text.length && text[at] !== '\n') at++
    } else if (/[;{}]/.test(character)) {
      tokens.push({ text: character, quoted: false, line: startLine, at: startAt })
      const before = tokens.at(-2)?.text ?? ''
      // Lua between the braces is not nginx's syntax.
      if (character === '{' && /_by_lua_block$/.test(before)) skipBraces()
    } else if (character === '"' || character === "'") {
      let word = ''
      while (at < text.length && text[at] !== character) word += escaped(take())
      at++
      tokens.push({ text: word, quoted: true, line: startLine, at: startAt })
    } else {
      let word = escaped(character)
      while (at < text.length) {
        const next = text[at] as string
        // "${name}" is a variable within a word; any other brace or semicolon ends it.
        if (next === '{' && word.endsWith('$')) {
          while (at < text.length && text[at] !== '}') word += take()
          word += take()
        } else if (/[\s;{]/.test(next)) break
        else word += escaped(take())
      }
      tokens.push({ text: word, quoted: false, line: startLine, at: startAt })
    }
  }
  return tokens

  /** A backslash takes a quote, a blank or itself literally; before anything else, as in a regular expression, it stays. */
  function escaped(character: string): string {
    if (character !== '\\' || at >= text.length) return character
    const next = take()
    if (/["'\s\\;{}#]/.test(next)) return next === '\\' ? '\\\\' : next
    return `\\${next}`
  }

  function skipBraces(): void {
    for (let depth = 1; at < text.length && depth > 0; ) {
      const character = text[at] as string
      if (character === '{') depth++
      if (character === '}') depth--
      if (depth > 0) take()
    }
  }
}
