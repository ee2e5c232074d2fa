/**
 * Reads the API key out of an Authorization header (RFC 9110, 11.6.2): Bearer with the whole key, or Basic
 * with the key id as user and the secret as password (RFC 7617), which is what a browser can send.
 *
 * Nothing here says why a header is no key: the text may be a secret that was pasted wrong.
 */
import { type ApiKey, apiKeyOf, parseApiKey } from "../auth/api-key.ts";

/** Longer ones are no key of ours and are not looked at. */
const HEADER_CHARS_MAX = 256;

const BEARER = "bearer ";
const BASIC = "basic ";

/** `null` when the header is not a key. @param basic whether Basic is taken too. */
export function apiKeyIn(header: string, basic: boolean): ApiKey | null {
  if (header.length > HEADER_CHARS_MAX) return null;
  if (startsWith(header, BEARER)) return parseApiKey(header.slice(BEARER.length).trim());
  return basic && startsWith(header, BASIC) ? basicKeyIn(header.slice(BASIC.length).trim()) : null;
}

/** The scheme's case does not matter. */
function startsWith(header: string, scheme: string): boolean {
  return header.slice(0, scheme.length).toLowerCase() === scheme;
}

function basicKeyIn(encoded: string): ApiKey | null {
  const decoded = Buffer.from(encoded, "base64").toString("latin1");
  const colon = decoded.indexOf(":");
  return colon < 0 ? null : apiKeyOf(decoded.slice(0, colon), decoded.slice(colon + 1));
}
