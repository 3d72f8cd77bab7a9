import type { RequestListener } from 'node:http'

/** The plain answer, byte for byte what the FastAPI deployment answered. */
export const plainHealth = '{"status":"ok"}'

/** Its headers, in the order in which Koa sends them. */
export const plainHealthHeaders = {
  'Cache-Control': 'no-store',
  Vary: 'Accept',
  'Content-Type': 'application/json',
  'Content-Length': String(plainHealth.length)
}

/** The media type that asks for the health document, draft-inadarei-api-health-check-06. */
export const healthMediaType = 'application/health+json'

/**
 * Answers the probes, `GET /health` without a wish for the health document, and leaves every other request to
 * `listener`. The answer is a constant; the way to it through Koa and the router costs as much processor time as all
 * that node:http does. A test holds both ways to the same bytes.
 */
export function answerProbes(listener: RequestListener): RequestListener {
  return (request, response) => {
    if (
      request.url === '/health' &&
      request.method === 'GET' &&
      request.headers.accept?.includes(healthMediaType) !== true &&
      // It ends its connection. Of requests that come in one piece only the last may, which an answer at once cannot know.
      !response.hasHeader('Connection')
    ) {
      response.writeHead(200, plainHealthHeaders)
      response.end(plainHealth)
    } else {
      void listener(request, response)
    }
  }
}
