/**
 * What the path of an override may name, and what setting it does to the limits. Pure.
 *
 * - `/queues/<queue>/<field>`: any field of a queue's bounds, whether the queue is configured or not.
 * - `/throttles/<name>/<field>`: `limit`, `windowMs`, `burst` or `excess` of a throttle that there is.
 * - `/throttles/<name>`: a whole throttle without its name, new or in the place of the one that there is;
 *   `null` switches it off.
 *
 * Throttles are named, not numbered: a number would mean another one after the next publication.
 */
import type { z } from "zod";
import type { Issue } from "../errors.ts";
import { pointerTo } from "../json-pointer.ts";
import { QUEUE_NAME_PATTERN } from "../lane.ts";
import {
  type LimitOverride,
  type LimitsBase,
  queueLimits,
  THROTTLE_NAME_PATTERN,
  THROTTLES_MAX,
  throttle,
} from "./limits-document.ts";
import { limitsFor } from "./limits-for.ts";

/** Fields of a throttle that an override may set by themselves. */
const THROTTLE_FIELDS: readonly string[] = ["limit", "windowMs", "burst", "excess"];

type Setting = Pick<LimitOverride, "path" | "value">;

/** The limits with the override in force, or why it cannot be: `/path` or `/value` is to blame. */
export function applyOverride(base: LimitsBase, setting: Setting): LimitsBase | Issue {
  const [root, kind, name = "", field, ...rest] = setting.path.split("/");
  if (root !== "" || rest.length > 0) return noSuchPath();
  if (kind === "queues" && field !== undefined && QUEUE_NAME_PATTERN.test(name)) {
    return withQueueField(base, { queue: name, field, value: setting.value });
  }
  if (kind !== "throttles" || !THROTTLE_NAME_PATTERN.test(name)) return noSuchPath();
  if (field === undefined) return withThrottle(base, name, setting.value);
  return withThrottleField(base, { name, field, value: setting.value });
}

interface FieldSetting {
  readonly field: string;
  readonly value: LimitOverride["value"];
}

function withQueueField(
  base: LimitsBase,
  { queue, field, value }: FieldSetting & { readonly queue: string },
): LimitsBase | Issue {
  if (!Object.hasOwn(queueLimits.shape, field)) {
    return noSuchPath(`a queue has ${Object.keys(queueLimits.shape).join(", ")}`);
  }
  const result = queueLimits.safeParse({ ...limitsFor(base, { queue }), [field]: value });
  if (!result.success) return wrongValue(result.error, 1);
  return { ...base, queues: { ...base.queues, [queue]: result.data } };
}

function withThrottle(base: LimitsBase, name: string, value: LimitOverride["value"]): LimitsBase | Issue {
  if (value === null) return { ...base, throttles: base.throttles.filter((it) => it.name !== name) };
  if (typeof value !== "object" || Array.isArray(value)) {
    const message = "must be a throttle without its name, or null to switch the throttle off";
    return { pointer: "/value", rule: "invalid-type", message };
  }
  if (Object.hasOwn(value, "name")) {
    return { pointer: "/value/name", rule: "unrecognized-keys", message: "the path names the throttle" };
  }
  const result = throttle.safeParse({ ...value, name });
  if (!result.success) return wrongValue(result.error, 0);
  const at = base.throttles.findIndex((it) => it.name === name);
  if (at >= 0) return { ...base, throttles: base.throttles.with(at, result.data) };
  if (base.throttles.length >= THROTTLES_MAX) {
    return { pointer: "/path", rule: "too-many", message: `there are ${THROTTLES_MAX} throttles already` };
  }
  return { ...base, throttles: [...base.throttles, result.data] };
}

function withThrottleField(
  base: LimitsBase,
  { name, field, value }: FieldSetting & { readonly name: string },
): LimitsBase | Issue {
  if (!THROTTLE_FIELDS.includes(field)) {
    return noSuchPath(`of a throttle ${THROTTLE_FIELDS.join(", ")} can be set; else set it whole`);
  }
  const at = base.throttles.findIndex((it) => it.name === name);
  if (at < 0) return { pointer: "/path", rule: "unknown-throttle", message: `there is no throttle ${name}` };
  const result = throttle.safeParse({ ...base.throttles[at], [field]: value });
  if (!result.success) return wrongValue(result.error, 1);
  return { ...base, throttles: base.throttles.with(at, result.data) };
}

function noSuchPath(detail?: string): Issue {
  const paths = "must be /queues/<queue>/<field>, /throttles/<name> or /throttles/<name>/<field>";
  const message = detail === undefined ? paths : `${paths}; ${detail}`;
  return { pointer: "/path", rule: "unknown-path", message };
}

/** @param stepsDropped steps of zod's path that the override's own path has said already. */
function wrongValue(error: z.ZodError, stepsDropped: number): Issue {
  const [issue] = error.issues;
  const pointer = `/value${pointerTo(issue?.path.slice(stepsDropped) ?? [])}`;
  const rule = (issue?.code ?? "custom").replaceAll("_", "-");
  return { pointer, rule, message: issue?.message ?? "is not allowed" };
}
