import { finding, envFile, type Check } from './finding.js'
import { exists } from './status.js'

/** backup= of the PKGBUILD. */
const backups = [envFile, '/etc/nginx/fastAPI/fastAPI.conf', '/etc/nginx/fastAPI/fastAPI.location']

/** Whether pacman has put a new default, or a saved file, beside one that the administrator had changed. */
export const unmerged: Check = async () => {
  const check = 'unmerged files'
  const found: string[] = []
  for (const path of backups.flatMap((backup) => [`${backup}.pacnew`, `${backup}.pacsave`])) if (await exists(path)) found.push(path)
  if (found.length === 0) return [finding(check, 'ok', 'no .pacnew and no .pacsave')]
  return found.map((path) => {
    const current = path.replace(/\.pac(new|save)$/, '')
    const look = `look: diff -u ${current} ${path}`
    // A .pacnew is the package's new default; a .pacsave is what an earlier installation had been set to.
    return path.endsWith('.pacnew')
      ? finding(check, 'warn', `${path} is not merged; ${look}; once done with it:`, `rm ${path}`)
      : finding(check, 'warn', `${path} was saved when the package was removed; ${look}; to have it again:`, `mv ${path} ${current}`)
  })
}
