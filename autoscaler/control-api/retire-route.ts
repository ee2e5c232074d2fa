/**
 * `POST /v1/releases/{release}/retire`: enters a release as retired, once nothing is in the way.
 *
 * What is in the way is looked at in the same look that the answer names; nothing leaves that out. A rollout retires
 * the release that leaves by itself: this is for those that none brought in or took out.
 */
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { problemOf } from "#shared/http/problem";
import { sendProblem } from "#shared/http/send-problem";
import type { Log } from "#shared/log";
import { type AuditAct, type AuditStore, actorOf } from "#shared/redis/audit-store";
import type { Observation } from "../observe.ts";
import { decideReleaseRetirement } from "../retirement/decide-release-retirement.ts";
import type { Blocker } from "../retirement/retirement-answer.ts";
import { answeredOrNull, checkedBody, whoAsks } from "./checked-body.ts";
import { whoText, whyText } from "./one-line.ts";
import { readRedis } from "./problems.ts";
import { NO_SUCH_RELEASE } from "./retirement-routes.ts";

export interface RetirePorts {
  readonly log: Log;
  readonly audit: Pick<AuditStore, "record">;
  /** A recent look at everything. Rejects when Redis is away; never hangs. */
  observation(): Promise<Pick<Observation, "snapshot" | "document">>;
  /** Rejects when Redis is away; never hangs. */
  retireRelease(release: string): Promise<unknown>;
}

const retireBody = z.strictObject({ why: whyText, by: whoText.optional() });

export function addRetireRoute(server: FastifyInstance, ports: RetirePorts): void {
  server.post<{ Params: { release: string } }>(
    "/v1/releases/:release/retire",
    { bodyLimit: 4_096, config: { scope: "ops:write" } },
    async (request, reply) => {
      const { release } = request.params;
      const { why, by: claimed } = checkedBody(retireBody, request.body);
      const by = whoAsks(request, claimed);
      const { snapshot, document } = await readRedis(ports.observation());
      const known = snapshot.releases.find((it) => it.release === release);
      if (known === undefined) return sendProblem(reply, NO_SUCH_RELEASE);
      const audit = (facts: Pick<AuditAct, "before" | "after" | "outcome">) =>
        ports.audit.record({
          ...actorOf(request),
          ...{ action: "release.retire", target: release, why },
          ...facts,
        });
      const { blockers } = decideReleaseRetirement(document, { release, ...snapshot });
      if (blockers.length > 0) {
        await audit({ after: { by, refused: blockers.map(({ code }) => code) }, outcome: "refused" });
        return sendProblem(reply, blocked(blockers));
      }
      const facts = { log: ports.log, facts: { release } };
      const done = await answeredOrNull(
        ports.retireRelease(release).then(() => true),
        facts,
      );
      const before = { state: known.state };
      await audit({
        before,
        after: { by, state: "retired" },
        outcome: done === null ? "unknown" : "done",
      });
      if (done === null) return sendProblem(reply, RETIRE_UNKNOWN);
      return { release, state: "retired", retired: known.state === "live" };
    },
  );
}

function blocked(blockers: readonly Blocker[]) {
  return problemOf({
    status: 409,
    code: "RELEASE_NEEDED",
    title: "The release may not retire",
    detail: blockers.map(({ what }) => what).join("; "),
    errors: blockers.map(({ code, what }) => ({ pointer: "", rule: code, message: what })),
  });
}

const RETIRE_UNKNOWN = problemOf({
  status: 503,
  code: "RETIREMENT_UNKNOWN",
  title: "It is not known whether the release is retired",
  detail: "Redis did not answer, so it is not known whether it was entered; look before trying again.",
});
