import { readFileSync, writeFileSync } from 'node:fs'

// npm's own bill of materials, from standard input, less what is used for development alone and less what differs from
// one build of the same files to the next. `npm sbom --omit=dev` itself also leaves out what both kinds depend on.

/** The parts of CycloneDX 1.5 that are read or changed here. */
interface Bom {
  serialNumber?: string
  metadata: { timestamp?: string; component: Component }
  components: Component[]
  dependencies: { ref: string; dependsOn: string[] }[]
}

interface Component {
  'bom-ref': string
  name: string
  properties: { name: string; value: string }[]
}

const isForDevelopment = ({ properties }: Component): boolean => properties.some(({ name }) => name === 'cdx:npm:package:development')

const bom = JSON.parse(readFileSync(0, 'utf8')) as Bom
const { name } = JSON.parse(readFileSync('package.json', 'utf8')) as { name: string }
delete bom.serialNumber
delete bom.metadata.timestamp
// npm takes the name of the folder for it.
bom.metadata.component.name = name
bom.components = bom.components.filter((component) => !isForDevelopment(component))
const kept = new Set([bom.metadata.component, ...bom.components].map((component) => component['bom-ref']))
bom.dependencies = bom.dependencies
  .filter(({ ref }) => kept.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) }))
writeFileSync('build/bundle/sbom.cdx.json', `${JSON.stringify(bom, null, 2)}\n`)
