import { hostileCases } from './cases.js'
import { faultsOf, statusLine } from './judge.js'
import { playAll } from './play.js'

/** What came of one case. */
export interface CaseReport {
  title: string
  expected: string
  got: string
  faults: string[]
  sentBytes: number
}

/** Plays every case and compares it with the table. */
export async function reportAll(target: { path: string } | { port: number }, through: 'socket' | 'nginx'): Promise<CaseReport[]> {
  const exchanges = await playAll(target, through)
  return exchanges.map((found, index) => {
    const hostile = hostileCases[index]
    const got = statusLine(found.answers.map(({ status }) => status))
    const orElse = through === 'nginx' && hostile?.nginxOrElse !== undefined ? statusLine(hostile.nginxOrElse) : undefined
    return {
      title: found.title,
      expected: got === orElse ? orElse : statusLine(hostile?.[through] ?? []),
      got,
      faults: faultsOf(found, through),
      sentBytes: found.sentBytes
    }
  })
}

// As a program, for a network namespace of its own: main.js PORT prints the reports of what goes through nginx.
if (require.main === module) {
  void reportAll({ port: Number(process.argv[2]) }, 'nginx').then((reports) => process.stdout.write(JSON.stringify(reports)))
}
