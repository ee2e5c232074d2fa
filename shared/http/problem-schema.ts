/** Problem details (RFC 9457) as a schema, for the documents of the APIs; `problem.ts` makes them. */
import { z } from "zod";
import { JOB_STATES } from "../job-state.ts";
import { component } from "./operation.ts";

export const issueSchema = component(
  "Issue",
  z.object({
    pointer: z.string().describe('JSON pointer to the value, "" for the whole document.'),
    rule: z.string().describe("The rule that was broken; stable."),
    message: z.string().describe("What is wrong and what would be right. Never the value itself."),
  }),
);

export const problemSchema = component(
  "Problem",
  z.object({
    type: z.string().describe("URN of the kind of problem."),
    title: z.string(),
    status: z.int().min(400).max(599),
    code: z.string().describe("Stable, and safe to match on."),
    detail: z.string(),
    outcome: z
      .enum(["not_enqueued", "unknown"])
      .optional()
      .describe("What became of the job: certainly not stored, or not known. A 2xx alone means that it is."),
    errors: z.array(issueSchema).optional(),
    retryAfterSeconds: z.int().min(0).optional().describe("Also the Retry-After header."),
    retryAfterMs: z.number().min(0).optional().describe("The same exactly, where it is known."),
    "violated-policies": z.array(z.string()).optional().describe("Names of the throttles that refused."),
    costMax: z
      .int()
      .optional()
      .describe("The most jobs one request can ever hand in, where it asked for more."),
    state: z.enum(JOB_STATES).optional().describe("The job's, where that is the reason."),
  }),
);
