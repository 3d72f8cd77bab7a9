/** The plain answer, byte for byte what the FastAPI deployment answered. */
export const plainHealth = '{"status":"ok"}'
