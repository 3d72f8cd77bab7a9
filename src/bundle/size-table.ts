/** Whose code a module is: `koa`, `@koa/router`, or `fastapi-health` for our own. */
function ownerOf(file: string | undefined): string {
  if (file === undefined || file.startsWith('stand-in')) return "the bundler's own"
  return /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? (/\/src\/([a-z]+)\//.exec(file)?.[1] === 'serve' ? 'fastapi-health: serve' : 'fastapi-health: commands')
}

/**
 * A Markdown table of what makes up the size of a bundle that ncc made, largest first.
 *
 * @param files the file of each module, by its id in `code`.
 */
export function sizeTable(code: string, files: Map<string, string>): string {
  const starts = [...code.matchAll(/\n\/\*\*\*\/ "?([^:"\n]+)"?:\n/g)].map(({ index, 1: id }) => ({ index, id: id ?? '' }))
  const sizes = new Map<string, number>()
  const add = (owner: string, length: number): void => void sizes.set(owner, (sizes.get(owner) ?? 0) + length)
  starts.forEach(({ index, id }, position) => add(ownerOf(files.get(id)), (starts[position + 1]?.index ?? code.length) - index))
  add(ownerOf(undefined), starts[0]?.index ?? 0)
  const rows = [...sizes].sort(([, one], [, other]) => other - one)
  const row = (owner: string, size: number): string => `| ${owner} | ${(size / 1000).toFixed(1)} | ${((size / code.length) * 100).toFixed(1)} % |`
  return ['| Package | kB | Share |', '|---|--:|--:|', ...rows.map(([owner, size]) => row(owner, size)), row('**index.js**', code.length), ''].join('\n')
}
