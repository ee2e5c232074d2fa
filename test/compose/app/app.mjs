/** An app for the compose test: work that only takes time, in two versions. */
import { setTimeout as delay } from "node:timers/promises";
import { defineApp, defineContract, defineJob } from "sluice/worker";
import { z } from "zod";

const version1 = { version: 1, schema: z.looseObject({ n: z.int().min(0), ms: z.int().min(0).max(60_000) }) };
const version2 = {
  version: 2,
  schema: z.looseObject({
    n: z.int().min(0),
    ms: z.int().min(0).max(60_000),
    colour: z.enum(["red", "blue"]),
  }),
  upcast: (data) => ({ ...data, colour: "red" }),
};

/** @param versions 1 or 2: how many of them the build knows. */
export function appOf(versions) {
  const contract = defineContract({
    type: "probe.work",
    queue: "probe",
    policy: { attempts: 5, timeoutMs: 60_000 },
    versions: versions === 1 ? [version1] : [version1, version2],
  });
  const handler = async (job, { signal }) => {
    await delay(job.data.ms, undefined, { signal });
    return { n: job.data.n, by: `v${versions}` };
  };
  return defineApp({ name: "probe", jobs: [defineJob(contract, handler)] });
}
