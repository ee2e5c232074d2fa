/**
 * A CloudEvent in binary mode (CloudEvents 1.0.2 HTTP binding, 3.1): attributes as `ce-` headers, the body is the
 * data. Says the same as the structured form, which then checks it.
 *
 * Headers are text, so attributes whose form is a whole number are read as such. Of a value in double quotes the quotes
 * and backslashes are taken away, as older versions of the binding wrote it; then it is percent-decoded once.
 */
import type { IncomingHttpHeaders } from "node:http";
import { EnvelopeInvalidError, type Issue } from "#shared/errors";

const PREFIX = "ce-";

/** Attributes of ours that are whole numbers in the JSON form. */
const WHOLE_NUMBERS: ReadonlySet<string> = new Set(["schemaversion", "attempts", "timeoutms"]);

/** Whether the request carries an event in its headers. */
export function isBinaryCloudEvent(headers: IncomingHttpHeaders): boolean {
  return headers["ce-specversion"] !== undefined || headers["ce-type"] !== undefined;
}

/**
 * The event as the structured form would have it.
 *
 * @throws {EnvelopeInvalidError} when a header cannot be decoded or is not allowed.
 */
export function binaryCloudEvent(headers: IncomingHttpHeaders, data: unknown): unknown {
  const event: Record<string, unknown> = {};
  const issues: Issue[] = [];
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith(PREFIX)) continue;
    const name = header.slice(PREFIX.length);
    const attribute = attributeOf(name, value);
    if ("issue" in attribute) issues.push({ pointer: `/${name}`, ...attribute.issue });
    else event[name] = attribute.value;
  }
  if (issues.length > 0) throw new EnvelopeInvalidError(issues);
  event.data = data;
  return event;
}

type Attribute = { readonly value: unknown } | { readonly issue: Omit<Issue, "pointer"> };

const NAME = /^[a-z0-9]+$/;

/** RFC 9110, 5.6.4. */
const QUOTED = /^"((?:[^"\\]|\\.)*)"$/;

function attributeOf(name: string, value: string | string[] | undefined): Attribute {
  if (name === "data" || name === "datacontenttype") {
    const message = `the header ce-${name} is not allowed: the body is the data, and Content-Type tells its type`;
    return { issue: { rule: "header", message } };
  }
  if (!NAME.test(name)) {
    const message = "CloudEvents attribute names are lower-case letters and digits";
    return { issue: { rule: "attribute-name", message } };
  }
  if (typeof value !== "string") return { issue: { rule: "header", message: "the header was sent twice" } };
  const text = decoded(unquoted(value));
  if (text === null) {
    return { issue: { rule: "percent-encoding", message: "is not valid percent-encoded UTF-8" } };
  }
  const isWhole = WHOLE_NUMBERS.has(name) && /^\d{1,10}$/.test(text);
  return { value: isWhole ? Number(text) : text };
}

function unquoted(text: string): string {
  const inner = QUOTED.exec(text)?.[1];
  return inner === undefined ? text : inner.replaceAll(/\\(.)/g, "$1");
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
