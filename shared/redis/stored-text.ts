/**
 * Lua that reads single facts off stored JSON text without taking it apart: a page of a list looks at up
 * to a thousand jobs, and one of them may hold 256 KiB.
 *
 * It is sound, not clever: each pattern is tied to the beginning or the end of the text, where JSON has no
 * other way to have these characters than the attribute itself, because within a string every quotation mark
 * is escaped. What the pattern does not fit is taken apart as JSON, which the byte budget counts dearly.
 */

/** `outcomeIn`: the outcome at the beginning of a return value, or "". */
export const OUTCOME_IN = `
local function outcomeIn(returnvalue)
  return returnvalue and string.match(returnvalue, '^{"outcome":"(%l+)"') or ""
end
`;

/** `failuresIn`: the counted failures of an attempt record. A quotation mark in a message is escaped. */
export const FAILURES_IN = `
local function failuresIn(record)
  return record and string.match(record, '[{,]"failures":(%d+)') or "0"
end
`;

/**
 * `envelopeIn`: tenant and schema version of an envelope, and whether the text had to be taken apart. Stamped
 * envelopes begin with type and version and end with the tenant, or with a priority behind it. A job that names no tenant gives "".
 */
export const ENVELOPE_IN = `
local function envelopeIn(data)
  local version = string.match(data, '^{"type":"[%w%.%-]+","schemaversion":(%d+)[,}]')
  -- Else the pattern is tried at each of up to 256 KiB.
  local tail = string.sub(data, -256)
  local tenant = string.match(tail, ',"tenant":"([%w%.%-_]+)"}$')
    or string.match(tail, ',"tenant":"([%w%.%-_]+)","priority":"%l+"}$')
  if version and tenant then return tenant, version, false end
  local ok, envelope = pcall(cjson.decode, data)
  if not ok or type(envelope) ~= "table" then return "", "", true end
  tenant, version = envelope.tenant, envelope.schemaversion
  if type(tenant) ~= "string" then tenant = "" end
  version = type(version) == "number" and string.format("%.17g", version) or ""
  return tenant, version, true
end
`;
