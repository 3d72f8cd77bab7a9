import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compact } from './compact.js'
import { lazyBuiltins, lazyPackages, loadBuiltinAtFirstUse, loadPackageAtFirstUse, loadTracingWhereAsked } from './lazy.js'
import { keepMediaTypes } from './media-types.js'
import { bundledModules, bundleWithNcc } from './ncc.js'
import { sizeTable } from './size-table.js'

// Makes build/bundle, for `npm run build`: index.js, the one file that is shipped; LICENSES, those of what it is made
// of; and for the tests and README modules.json, the file of each module by its id, and sizes.md.

const folder = join(process.cwd(), 'build/bundle')

async function bundle(): Promise<void> {
  const bundled = await bundleWithNcc(join(process.cwd(), 'build/js/src/main.js'))
  const files = bundledModules(bundled)
  let { code } = bundled
  for (const name of lazyPackages) code = loadPackageAtFirstUse(code, name, files)
  code = loadTracingWhereAsked(code, files)
  for (const name of lazyBuiltins) code = loadBuiltinAtFirstUse(code, name)
  code = inAscii(compact(keepMediaTypes(code)))
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'index.js'), code, { mode: 0o755 })
  writeFileSync(join(folder, 'LICENSES'), bundled.licenses)
  writeFileSync(join(folder, 'modules.json'), JSON.stringify(Object.fromEntries(files), undefined, 1))
  writeFileSync(join(folder, 'sizes.md'), sizeTable(code, files))
}

/** A source with a single character above 0x7f is held in memory at two bytes a character, and read more slowly. */
function inAscii(code: string): string {
  return code.replace(/[^\x00-\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

void bundle()
