/** The Idempotency-Key header as a structured-field string (RFC 9651, 3.3.3). */
export function idempotencyKeyHeader(key: string): string {
  return `"${key.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
