import { parse } from 'acorn'

/**
 * Cuts comments, indentation and empty lines out of a script, nearly half of its size, and leaves every other character
 * as it is: V8 takes the parentheses around a function as a hint to compile it at once, which a minifier would drop.
 * The bundler's own marks between modules, comments of nothing but asterisks, stay.
 */
export function compact(code: string): string {
  /** Parts of the code to cut, in order; and templates and strings, which may hold what looks like indentation. */
  const comments: Array<[start: number, end: number]> = []
  const texts: Array<[start: number, end: number]> = []
  parse(code, {
    ecmaVersion: 'latest',
    sourceType: 'script',
    allowHashBang: true,
    onComment(block, text, start, end) {
      if (block ? !/^\**$/.test(text) : !code.startsWith('#!', start)) comments.push([start, end])
    },
    onToken({ type, start, end }) {
      if (type.label === 'template' || type.label === 'string') texts.push([start, end])
    }
  })
  const pieces: string[] = []
  let from = 0
  const add = (end: number): void => {
    pieces.push(code.slice(from, end).replace(/\s*\n\s*/g, '\n'))
    from = end
  }
  for (const [start, end, isComment] of [...comments.map(cut), ...texts.map(keep)].sort(([one], [other]) => one - other)) {
    add(start)
    const text = code.slice(start, end)
    // A line break inside a comment may be what ends a statement.
    pieces.push(!isComment ? text : text.includes('\n') ? '\n' : '')
    from = end
  }
  add(code.length)
  return pieces.join('').replace(/^\n+/, '')
}

const cut = ([start, end]: [number, number]): [number, number, boolean] => [start, end, true]
const keep = ([start, end]: [number, number]): [number, number, boolean] => [start, end, false]
