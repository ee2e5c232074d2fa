/** `GET /v1/releases/{id}/retirement` and `GET /v1/lanes/{lane}/retirement`: may it retire, and if not, why. */
import type { FastifyInstance } from "fastify";
import { problemOf } from "#shared/http/problem";
import { sendProblem } from "#shared/http/send-problem";
import type { Observation } from "../observe.ts";
import { decideLaneRetirement } from "../retirement/decide-lane-retirement.ts";
import { decideReleaseRetirement } from "../retirement/decide-release-retirement.ts";
import { readRedis } from "./problems.ts";

export interface RetirementPorts {
  /** A recent look at everything. Rejects when Redis is away; never hangs. */
  observation(): Promise<Pick<Observation, "snapshot" | "document">>;
}

const READS = { config: { scope: "ops:read" } } as const;

export function addRetirementRoutes(server: FastifyInstance, ports: RetirementPorts): void {
  server.get<{ Params: { release: string } }>(
    "/v1/releases/:release/retirement",
    READS,
    async ({ params }, reply) => {
      const { snapshot, document } = await readRedis(ports.observation());
      const known = snapshot.releases.find((it) => it.release === params.release);
      if (known === undefined) return sendProblem(reply, NO_SUCH_RELEASE);
      const { release, state } = known;
      const answer = decideReleaseRetirement(document, { release, ...snapshot });
      return { release, state, observedAt: snapshot.observedAt, ...answer };
    },
  );

  server.get<{ Params: { lane: string } }>("/v1/lanes/:lane/retirement", READS, async ({ params }, reply) => {
    const { snapshot, document } = await readRedis(ports.observation());
    const found = snapshot.queues.find((it) => it.lanes.some(({ lane }) => lane === params.lane));
    const view = found?.lanes.find((it) => it.lane === params.lane);
    if (found === undefined || view === undefined) return sendProblem(reply, NO_SUCH_LANE);
    const { lane, retiredAt } = view;
    const answer = decideLaneRetirement(document, found.queue, view);
    return { lane, retiredAt, observedAt: snapshot.observedAt, ...answer };
  });
}

export const NO_SUCH_RELEASE = problemOf({
  status: 404,
  code: "RELEASE_NOT_FOUND",
  title: "No such release",
  detail: "No release of this name is in the registry.",
});

const NO_SUCH_LANE = problemOf({
  status: 404,
  code: "LANE_NOT_FOUND",
  title: "No such lane",
  detail: "No lane of this name is in the registry.",
});
