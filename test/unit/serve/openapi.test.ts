import { METHODS } from 'node:http'
import test from 'ava'
import { createApp } from '../../../src/serve/app.js'
import { openapi } from '../../../src/serve/openapi.js'
import { startApp, noLimits } from './start-app.js'

interface Media {
  schema: Schema
}
interface Operation {
  responses: Record<string, { content?: Record<string, Media> }>
}
interface Schema {
  $ref?: string
  type?: string | string[]
  const?: unknown
  enum?: unknown[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  items?: Schema
}

const paths = JSON.parse(JSON.stringify(openapi.paths)) as Record<string, Record<string, Operation>>
const schemas: Record<string, Schema> = openapi.components.schemas
const described = Object.entries(paths).flatMap(([path, operations]) =>
  Object.entries(operations).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation }))
)

/** The paths that the application's router knows. */
function routes(): string[] {
  const app = createApp({} as never, noLimits)
  const layers = app.middleware.flatMap((middleware) => (middleware as { router?: { stack: { path: string }[] } }).router?.stack ?? [])
  return [...new Set(layers.map(({ path }) => path))]
}

/** Where `value` is not what `schema` says; of JSON Schema only what the document uses. */
function misfits(value: unknown, schema: Schema, at = '$'): string[] {
  if (schema.$ref !== undefined) {
    const target = schemas[schema.$ref.replace('#/components/schemas/', '')]
    return target === undefined ? [`${at}: ${schema.$ref} is missing`] : misfits(value, target, at)
  }
  if ('const' in schema && value !== schema.const) return [`${at}: expected ${String(schema.const)}`]
  if (schema.enum !== undefined && !schema.enum.includes(value)) return [`${at}: expected one of ${schema.enum.join(', ')}`]
  const type = Array.isArray(value) ? 'array' : typeof value
  if (schema.type !== undefined && ![schema.type].flat().includes(type)) return [`${at}: expected ${String(schema.type)}, got ${type}`]
  if (Array.isArray(value)) return value.flatMap((item, index) => misfits(item, schema.items ?? {}, `${at}[${index}]`))
  if (typeof value !== 'object' || value === null) return []
  const missing = (schema.required ?? []).filter((name) => !(name in value)).map((name) => `${at}.${name}: missing`)
  const own = Object.entries(value).flatMap(([name, property]) => {
    const known = schema.properties?.[name]
    if (known !== undefined) return misfits(property, known, `${at}.${name}`)
    const { additionalProperties = true } = schema
    if (additionalProperties === false) return [`${at}.${name}: not described`]
    return additionalProperties === true ? [] : misfits(property, additionalProperties, `${at}.${name}`)
  })
  return [...missing, ...own]
}

test('GET /openapi.json is the document', async (t) => {
  const { ask } = await startApp(t)
  const { status, headers, body } = await ask('GET', '/openapi.json')
  t.is(status, 200)
  t.is(headers['content-type'], 'application/json')
  t.deepEqual(JSON.parse(body), JSON.parse(JSON.stringify(openapi)))
  t.is(openapi.openapi, '3.1.0')
})

test('every route is described, and every path that is described is a route', (t) => {
  t.deepEqual(Object.keys(paths).sort(), routes().sort())
})

for (const { path, method, operation } of described) {
  const answers = Object.entries(operation.responses).flatMap(([status, { content }]) =>
    Object.keys(content ?? { none: 0 }).map((type) => ({ status, type }))
  )
  // No check of this document can fail by itself, so 503 stays to those that can.
  for (const { status, type } of answers.filter(({ status }) => status !== '503')) {
    test(`${method} ${path} answers ${status} ${type === 'none' ? '' : type} as described`, async (t) => {
      const { ask } = await startApp(t)
      const answer = await ask(method, path, type === 'none' ? {} : { Accept: type })
      t.is(String(answer.status), status)
      if (type === 'none') {
        t.is(answer.body, '')
        return
      }
      t.is(answer.headers['content-type'], type)
      t.deepEqual(misfits(JSON.parse(answer.body), operation.responses[status]?.content?.[type]?.schema ?? {}), [])
    })
  }
}

test('a method that is not described is not allowed, and Allow names those that are', async (t) => {
  const { ask } = await startApp(t)
  for (const path of ['/health', '/openapi.json']) {
    const known = Object.keys(paths[path] ?? {}).map((method) => method.toUpperCase())
    // CONNECT never reaches the application.
    for (const method of METHODS.filter((name) => name !== 'CONNECT' && !known.includes(name))) {
      const { status, headers, body } = await ask(method, path)
      t.is(status, 405, `${method} ${path}`)
      t.deepEqual(headers.allow?.split(', ').sort(), known.sort())
      t.deepEqual(misfits(JSON.parse(body), { $ref: '#/components/schemas/Detail' }), [])
    }
  }
})

test('what is not described is not found, and every reference leads somewhere', async (t) => {
  const { ask } = await startApp(t)
  for (const path of ['/docs', '/redoc', '/openapi.json/', '/openapi.yaml']) {
    const { status, body } = await ask('GET', path)
    t.is(status, 404, path)
    t.deepEqual(misfits(JSON.parse(body), { $ref: '#/components/schemas/Detail' }), [])
  }
  for (const [, name = ''] of JSON.stringify(openapi).matchAll(/#\/components\/schemas\/(\w+)/g)) t.true(name in schemas, name)
})
