import { release } from '../release.js'

const detail = (description: string) => ({
  description,
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Detail' } } }
})

/** The description of everything that the service answers, OpenAPI 3.1; a test holds it to the routes. */
export const openapi = {
  openapi: '3.1.0',
  info: {
    title: 'fastapi-health',
    version: release.replace(/-[^-]*$/, ''),
    license: { name: 'MIT', identifier: 'MIT' }
  },
  paths: {
    '/health': {
      get: {
        operationId: 'health',
        summary: 'Whether the service answers; in detail for those who accept application/health+json',
        responses: {
          '200': {
            description: 'It does',
            content: {
              'application/json': { schema: { $ref: '#/components/schemas/Plain' } },
              'application/health+json': { schema: { $ref: '#/components/schemas/Health' } }
            }
          },
          '503': {
            description: 'A check failed',
            content: { 'application/health+json': { schema: { $ref: '#/components/schemas/Health' } } }
          }
        }
      },
      head: { operationId: 'healthHead', summary: 'As GET, without the body', responses: { '200': { description: 'It does' } } },
      options: { operationId: 'healthOptions', summary: 'The methods that are allowed', responses: { '204': { description: 'In Allow' } } }
    },
    '/health/': {
      get: { operationId: 'healthSlash', summary: 'Sent to /health', responses: { '307': { description: 'Location: /health' } } }
    },
    '/openapi.json': {
      get: {
        operationId: 'openapi',
        summary: 'This document',
        responses: { '200': { description: 'This document', content: { 'application/json': { schema: { type: 'object' } } } } }
      },
      head: { operationId: 'openapiHead', summary: 'As GET, without the body', responses: { '200': { description: 'This document' } } },
      options: { operationId: 'openapiOptions', summary: 'The methods that are allowed', responses: { '204': { description: 'In Allow' } } }
    }
  },
  components: {
    responses: {
      NotFound: detail('Any other path'),
      MethodNotAllowed: detail('Any other method'),
      InternalServerError: detail('An error, whose cause is in the log')
    },
    schemas: {
      Plain: {
        type: 'object',
        properties: { status: { const: 'ok' } },
        required: ['status'],
        additionalProperties: false
      },
      Health: {
        type: 'object',
        properties: {
          status: { $ref: '#/components/schemas/Status' },
          version: { type: 'string' },
          releaseId: { type: 'string', description: 'pkgver-pkgrel of the process that answers' },
          serviceId: { const: 'fastapi-health' },
          checks: {
            type: 'object',
            description: 'By component:measurement',
            additionalProperties: { type: 'array', items: { $ref: '#/components/schemas/Check' } }
          }
        },
        required: ['status', 'version', 'releaseId', 'serviceId', 'checks'],
        additionalProperties: false
      },
      Check: {
        type: 'object',
        properties: {
          status: { $ref: '#/components/schemas/Status' },
          componentId: { type: 'string' },
          componentType: { type: 'string' },
          observedValue: { type: ['string', 'number'] },
          observedUnit: { type: 'string' },
          time: { type: 'string', format: 'date-time' },
          output: { type: 'string' }
        },
        required: ['status'],
        additionalProperties: false
      },
      Status: { enum: ['pass', 'warn', 'fail'] },
      Detail: {
        type: 'object',
        properties: { detail: { type: 'string' } },
        required: ['detail'],
        additionalProperties: false
      }
    }
  }
}
