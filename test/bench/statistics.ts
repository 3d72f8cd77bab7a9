/** Median and spread of a sample, in the sample's own unit. */
export interface Summary {
  count: number
  median: number
  /** A quarter of the sample is below, a quarter above these. */
  quartiles: [number, number]
  least: number
  most: number
}

/** Summarises `sample`, which must not be empty. */
export function summarise(sample: number[]): Summary {
  const sorted = [...sample].sort((one, other) => one - other)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { count: sorted.length, median: at(0.5), quartiles: [at(0.25), at(0.75)], least: at(0), most: at(1) }
}
