import { runLoad, type LoadOptions } from './load.js'

// The load client as a process of its own: node main.js '{"target":{"socketPath":"..."},...}' prints "started", and at its
// end the report as one line of JSON. SIGTERM ends it early, or, with a second argument `until-input-ends`, the end of
// its input: nothing more is sent, and what is under way is waited for.

async function main([json = '', until]: string[]): Promise<void> {
  const stop = new AbortController()
  process.once('SIGTERM', () => stop.abort())
  if (until === 'until-input-ends') process.stdin.resume().once('end', () => stop.abort())
  const options = JSON.parse(json) as LoadOptions
  process.stdout.write('started\n')
  process.stdout.write(`${JSON.stringify(await runLoad(options, stop.signal))}\n`)
  process.stdin.destroy()
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`)
  process.exitCode = 1
})
