/** The job that a request's body and headers ask for, in whichever of its forms it came. */
import type { FastifyRequest } from "fastify";
import { type JobRequest, parseCloudEventRequest, parsePlainRequest } from "#shared/envelope";
import { readBody } from "./read-body.ts";
import { binaryCloudEvent, isBinaryCloudEvent } from "./read-cloud-event.ts";

/** @throws {EnvelopeInvalidError} naming everything that is wrong. */
export function readJobRequest({ headers, body }: FastifyRequest): JobRequest {
  // The content type parser has let only JSON through.
  const value = readBody(typeof body === "string" ? body : "");
  if (isOfType(headers["content-type"], "application/cloudevents+json")) return parseCloudEventRequest(value);
  if (isBinaryCloudEvent(headers)) return parseCloudEventRequest(binaryCloudEvent(headers, value));
  return parsePlainRequest(value);
}

/** Whether a Content-Type header names the media type, whatever its parameters. */
export function isOfType(header: string | undefined, mediaType: string): boolean {
  if (header === undefined) return false;
  const end = header.indexOf(";");
  return (end === -1 ? header : header.slice(0, end)).trim().toLowerCase() === mediaType;
}
