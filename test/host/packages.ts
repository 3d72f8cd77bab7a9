import { hostCommand } from './command.js'

export type PackageOptions = {
  /** As in package.json: 1.3.0-rc.1 becomes pacman's 1.3.0rc1. Default: that of the checkout. */
  version?: string
  pkgrel?: number
  /** Lines of bash, run with -eu in a copy of the sources before they are built; $STARTDIR is where the PKGBUILD is.
   * They are also what the result is cached by. node_modules must stay as it is. */
  edit?: string
}

const buildTimeoutMs = 600_000

/** Path, outside, of a package that makepkg built from the checkout; each is built once for each content of the checkout.
 * Throws with makepkg's last lines if it fails, or takes longer than ten minutes. */
export async function buildPackage(options: PackageOptions = {}): Promise<string> {
  const parameters = ['package']
  if (options.version !== undefined) parameters.push('--version', options.version)
  if (options.pkgrel !== undefined) parameters.push('--pkgrel', String(options.pkgrel))
  if (options.edit !== undefined) parameters.push('--edit', options.edit)
  return (await hostCommand(parameters, { timeoutMs: buildTimeoutMs })).trimEnd()
}
