import type { PackageOptions } from './packages.js'

/** A release that does not serve: how it is made, and what tells an administrator of its fault. */
export interface BadRelease {
  fault: string
  package: PackageOptions
  /** What pacman's output must say of it. */
  said: RegExp
}

const beforeListening = (line: string): string => `sed -i 's/^  const settings = readSettings(process.env)$/&\\n  ${line}/' src/serve/index.ts
grep -qF '${line}' src/serve/index.ts`

/** The five kinds; `version` tells them apart from good releases and from each other. */
export const badReleases: BadRelease[] = [
  {
    fault: 'crashes at its start',
    package: { version: '2.0.1', edit: beforeListening('if (settings.workers > 0) throw new Error("out of order")') },
    said: /Error: out of order/
  },
  {
    fault: 'has a syntax error',
    package: {
      version: '2.0.2',
      edit: `node -e 'const json = require("./package.json"); json.scripts.build += " && echo }{ >> build/bundle/index.js"
require("fs").writeFileSync("package.json", JSON.stringify(json))'`
    },
    said: /SyntaxError: Unexpected token/
  },
  {
    fault: 'starts and hangs',
    package: { version: '2.0.3', edit: beforeListening('await new Promise(() => setInterval(() => settings, 1000))') },
    said: /came +no answer \(.*timed out/
  },
  {
    fault: 'answers 500',
    package: {
      version: '2.0.4',
      edit: `sed -i "s/^ *await next()$/if (ctx.path !== '') throw new Error('out of order')\\n&/" src/serve/app.ts
grep -q 'out of order' src/serve/app.ts`
    },
    said: /came +status 500, \{"detail":"Internal Server Error"\}/
  },
  {
    fault: 'refuses a setting that the old one took',
    package: {
      version: '2.0.5',
      edit: `sed -i "s/DRAIN_GRACE: seconds('0.5', 0, 10)/DRAIN_GRACE: seconds('0.5', 0, 2)/" src/serve/settings.ts
grep -q "seconds('0.5', 0, 2)" src/serve/settings.ts`
    },
    said: /DRAIN_GRACE="5": expected seconds from 0 to 2/
  }
]
