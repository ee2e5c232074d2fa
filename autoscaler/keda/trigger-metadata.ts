/** What the metadata of a trigger ask for: `pool`, and `release` where one Deployment runs one release. */
import { status } from "@grpc/grpc-js";
import { QUEUE_NAME_PATTERN } from "#shared/lane";
import { CallRefusedError } from "./call-refused.ts";
import type { DesiredQuestion } from "./decide-desired-answer.ts";
import type { ScaledObjectRef } from "./scaler-protocol.ts";

const RELEASE_PATTERN = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** @throws {CallRefusedError} naming the field that is wrong and its rule. Others are ignored: KEDA adds its own. */
export function questionIn(ref: ScaledObjectRef | null): DesiredQuestion {
  const { pool, release } = ref?.scalerMetadata ?? {};
  if (pool === undefined) throw wrong("pool", "is required: name the pool, which is its queue's name");
  if (!QUEUE_NAME_PATTERN.test(pool)) {
    throw wrong("pool", "must be a queue's name: lower-case letters, digits and dashes, at most 64");
  }
  if (release !== undefined && !RELEASE_PATTERN.test(release)) {
    throw wrong("release", "must be a release's id: lower-case letters, digits, dots, dashes, underscores");
  }
  return { pool, release: release ?? null };
}

function wrong(field: string, rule: string): CallRefusedError {
  return new CallRefusedError(status.INVALID_ARGUMENT, `scalerMetadata.${field}: ${rule}`);
}
