import { expect, test } from "vitest";
import { findJob } from "#shared/redis/job-lookup";
import { EMPTY_REGISTRY } from "#shared/registry/registry-document";

type LaneQueues = Parameters<typeof findJob>[0];

const untouched = {
  find: () => Promise.reject(new Error("Redis was asked")),
} as unknown as LaneQueues;

test.each(["shop", "constructor"])(
  "a job of the unknown queue %s is unknown, and Redis is not asked",
  async (queue) => {
    expect(await findJob(untouched, EMPTY_REGISTRY, `${queue}~${"a".repeat(52)}`)).toBeNull();
  },
);
