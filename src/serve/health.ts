import { release } from '../release.js'

/** The plain answer, byte for byte what the FastAPI deployment answered. */
export const plainHealth = '{"status":"ok"}'

/** The media type that asks for the health document, draft-inadarei-api-health-check-06. */
export const healthMediaType = 'application/health+json'

/** How the service is, in the terms of the draft. */
export interface HealthDocument {
  status: 'pass' | 'warn' | 'fail'
  version: string
  /** pkgver-pkgrel of the process that answers, which is not always what is installed. */
  releaseId: string
  serviceId: string
  checks: Record<string, Check[]>
}

/** One measurement or test, by the draft's `component:measurement` name in {@link HealthDocument.checks}. */
export interface Check {
  status: 'pass' | 'warn' | 'fail'
  observedValue?: string | number
  observedUnit?: string
  /** RFC 3339. */
  time?: string
  output?: string
}

/** The health document as of now. */
export function healthDocument(): HealthDocument {
  return {
    status: 'pass',
    version: release.replace(/-[^-]*$/, ''),
    releaseId: release,
    serviceId: 'fastapi-health',
    checks: {}
  }
}
