/** Whether tests run in their long form, which gives the figures of README: PROOF=full. */
export const full = process.env['PROOF'] === 'full'

/** The size of a test: `short` by default, `long` where PROOF=full asks for it. */
export function sized(short: number, long: number): number {
  return full ? long : short
}
