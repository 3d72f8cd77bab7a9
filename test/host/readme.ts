/** A fenced block of a Markdown text. */
export interface Block {
  /** The word after the fence; what kind of text it is. */
  language: string
  /** Line of the fence, from 1. */
  line: number
  text: string
  /** Why no test runs it, from the comment `<!-- not run: REASON -->` before the fence. */
  notRun: string | undefined
  /** From the comment `<!-- on a host of the FastAPI deployment -->`: it is run on a host of its own. */
  onOriginal: boolean
}

/** One command of a console block, and what it promises to print. */
export interface Command {
  /** `#` is root's prompt, `$` that of an ordinary user. */
  user: 'root' | 'ordinary'
  command: string
  promised: string[]
  line: number
}

/** The fenced blocks of a Markdown text, in its order. */
export function blocksOf(markdown: string): Block[] {
  const lines = markdown.split('\n')
  const blocks: Block[] = []
  for (let at = 0; at < lines.length; at++) {
    const fence = /^```(\S*)/.exec(lines[at] ?? '')
    if (fence === null) continue
    const end = lines.indexOf('```', at + 1)
    if (end < 0) throw new Error(`line ${at + 1}: the block has no end`)
    const above = lines.slice(0, at).filter((line) => line !== '').at(-1) ?? ''
    blocks.push({
      language: fence[1] ?? '',
      line: at + 1,
      text: lines.slice(at + 1, end).join('\n'),
      notRun: /^<!-- not run: (.+) -->$/.exec(above)?.[1],
      onOriginal: above === '<!-- on a host of the FastAPI deployment -->'
    })
    at = end
  }
  return blocks
}

/** The commands of a console block: `# ` or `$ ` starts one, `> ` goes on with it, anything else is what it prints. */
export function commandsOf({ text, line }: Block): Command[] {
  const commands: Command[] = []
  for (const [index, content] of text.split('\n').entries()) {
    const last = commands.at(-1)
    const prompt = /^([#$]) (.+)$/.exec(content)
    if (prompt !== null) {
      commands.push({ user: prompt[1] === '#' ? 'root' : 'ordinary', command: prompt[2] ?? '', promised: [], line: line + 1 + index })
    } else if (last === undefined) {
      throw new Error(`line ${line + 1 + index}: expected "# " or "$ " and a command, got ${JSON.stringify(content)}`)
    } else if (/^>( |$)/.test(content) && last.promised.length === 0) {
      last.command += `\n${content.slice(2)}`
    } else {
      last.promised.push(content)
    }
  }
  return commands
}

/**
 * Whether `printed` is what was promised. `…` stands for anything within a line, and alone on a line for any number of
 * lines; two blanks or more, as in tables, for any number of blanks.
 */
export function isPromised(promised: string[], printed: string): boolean {
  const source = promised.map((line) => {
    if (line.trim() === '…') return '(?:.*\\n)*?'
    const words = line.split('…').map((word) => word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&').replace(/ {2,}/g, ' +'))
    return `${words.join('.*')} *\\n`
  })
  return new RegExp(`^${source.join('')}$`).test(printed.endsWith('\n') || printed === '' ? printed : `${printed}\n`)
}
