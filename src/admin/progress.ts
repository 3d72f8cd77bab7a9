/** How long something may take until a person at a terminal wants to know what is waited for. */
const patienceMs = 1000

/** Waits for `work`; on a terminal, says what is waited for where it takes over a second, and takes it back then. */
export async function withProgress<T>(what: string, work: Promise<T>): Promise<T> {
  const { stderr } = process
  if (!stderr.isTTY) return work
  let shown = false
  const timer = setTimeout(() => {
    shown = true
    stderr.write(`${what}...`)
  }, patienceMs)
  try {
    return await work
  } finally {
    clearTimeout(timer)
    // Back to the start of the line, and erase it: console_codes(4).
    if (shown) stderr.write('\r\x1b[K')
  }
}
