import type { ExecutionContext } from 'ava'
import type { Host } from './host.js'

/** What `fastapi-health doctor` printed, and what of it is wrong. */
export interface Diagnosis {
  status: number
  text: string
  /** "fail socket: evidence" of each finding that is wrong. */
  wrong: string[]
  /** The commands, in the order in which they are printed. */
  mends: string[]
}

export interface DoctorOptions {
  args?: string
  user?: string
  /** The program, where it is not to be run by its own first line. */
  program?: string
}

/** Runs doctor as an administrator does, and reads what it printed. */
export async function doctor(host: Host, { args = '', user = 'root', program = 'fastapi-health' }: DoctorOptions = {}): Promise<Diagnosis> {
  const { code, stdout, stderr } = await host.run(`${program} doctor ${args}`, { user })
  const wrong = [...stdout.matchAll(/^(fail|warn) +(\S(?: ?\S)*?)(?: {2,}|$)(.*)$/gm)].map(([, verdict, check, evidence]) => `${verdict} ${check}: ${evidence}`)
  const mends = [...stdout.matchAll(/^ +mend: (.*)$/gm)].map(([, mend = '']) => mend)
  return { status: code, text: stdout + stderr, wrong, mends }
}

/** Pastes into a root shell what doctor printed, one command after the other; who asks back is told yes. */
export async function pasteMends(host: Host, { mends }: Diagnosis): Promise<void> {
  for (const mend of mends) await host.sh(mend, { input: 'y\n' })
}

/** Has doctor name a fault, pastes the commands that it prints, and has it find nothing wrong. */
export async function nameAndMend(t: ExecutionContext, host: Host, expected: RegExp[], options: DoctorOptions = {}): Promise<Diagnosis> {
  const found = await doctor(host, options)
  t.is(found.status, 1, found.text)
  for (const pattern of expected) t.true(found.wrong.some((each) => pattern.test(each)), `${pattern} expected in:\n${found.text}`)
  t.is(found.wrong.length, expected.length, found.text)
  await pasteMends(host, found)
  const mended = await doctor(host, options)
  t.is(mended.status, 0, `after ${found.mends.join('\n')}\n${mended.text}`)
  t.deepEqual(mended.wrong, [])
  return found
}
