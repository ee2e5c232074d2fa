/** What the routes that people write to share: checking what is sent, who sends it, and answers that get lost. */
import type { FastifyRequest } from "fastify";
import type { z } from "zod";
import { RedisUnavailableError } from "#shared/errors";
import { pointerTo } from "#shared/json-pointer";
import type { Log } from "#shared/log";
import { BodyInvalidError, causeOf, readRedis } from "./problems.ts";

/** @throws {BodyInvalidError} naming every field that breaks its rule. */
export function checkedBody<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new BodyInvalidError(
    result.error.issues.map((issue) => ({
      pointer: pointerTo(issue.path),
      rule: issue.code.replaceAll("_", "-"),
      message: issue.message,
    })),
  );
}

/** Who the credential names; where nobody is asked for one, who it says to be. @throws {BodyInvalidError} */
export function whoAsks({ caller }: FastifyRequest, claimed: string | undefined): string {
  const by = caller.keyId === null ? claimed : caller.name;
  if (by !== undefined) return by;
  const message = "is required: who asks for it, where nobody is asked for a key";
  throw new BodyInvalidError([{ pointer: "/by", rule: "required", message }]);
}

/** `null` when the answer is lost: it may have been done all the same. */
export async function answeredOrNull<Answer>(
  answer: Promise<Answer>,
  { log, facts }: { readonly log: Log; readonly facts: Readonly<Record<string, unknown>> },
): Promise<Answer | null> {
  try {
    return await readRedis(answer);
  } catch (error) {
    if (!(error instanceof RedisUnavailableError)) throw error;
    log.error({ err: causeOf(error), ...facts }, "what an operator asked for was not answered");
    return null;
  }
}
