/** What ncc makes of an entry file. */
export interface Bundled {
  code: string
  licenses: string
  stats: WebpackStats
}

/** The part of webpack's stats that names the modules in a bundle. */
interface WebpackStats {
  compilation: {
    modules: Iterable<WebpackModule>
    chunkGraph: { getModuleId: (module: WebpackModule) => string | number }
  }
}

interface WebpackModule {
  nameForCondition?: () => string | null
}

type Ncc = (
  entry: string,
  options: Record<string, unknown>
) => Promise<{ code: string; assets: Record<string, { source: Buffer | string } | undefined>; stats: WebpackStats }>

/**
 * Bundles `entry` and all that it requires into one file, not minified: minified code starts slower on Node 24 and
 * 26, because functions lose the parentheses that have V8 compile them at once.
 *
 * The further files that ncc writes are pino's transports, in worker threads of their own, which nothing here uses.
 */
export async function bundleWithNcc(entry: string): Promise<Bundled> {
  // Required, not imported: it brings no types.
  const ncc = require('@vercel/ncc') as Ncc
  const { code, assets, stats } = await ncc(entry, { cache: false, license: 'LICENSES', quiet: true })
  const licenses = assets['LICENSES']?.source
  if (licenses === undefined) throw new Error('ncc was expected to make an asset LICENSES and did not')
  return { code, licenses: licenses.toString(), stats }
}

/** The file that each module of a bundle came from, by the id that the bundle has it under. */
export function bundledModules({ stats }: Bundled): Map<string, string> {
  const { modules, chunkGraph } = stats.compilation
  const files = new Map<string, string>()
  for (const module of modules) {
    const file = module.nameForCondition?.()
    if (typeof file === 'string') files.set(String(chunkGraph.getModuleId(module)), file)
  }
  return files
}
