import { describe, expect, onTestFinished, test, vi } from "vitest";
import { buildControlServer, type ControlPorts } from "#autoscaler/control-api/server";
import type { RolloutRecord } from "#autoscaler/rollout/decide-transition";
import type { ActAnswer, RolloutView, StartAnswer } from "#autoscaler/rollout/rollout-desk";
import type { OpenApiDocument } from "#shared/http/openapi-document";
import { createLog } from "#shared/log";
import type { AuditAct } from "#shared/redis/audit-store";
import { DocumentChecks } from "#test/fuzz/document-checks";
import { keysOnly, testKey } from "#test/support/api-keys";
import {
  anObservation,
  aPolicy,
  aRollout,
  aStage,
  aTally,
  aView,
  START_MS,
} from "../rollout/rollout-builder.ts";
import { calmPorts } from "./build-ports.ts";

const host = "127.0.0.1:7701";
const NOW_MS = START_MS + 60_000;
const asking = { why: "the new template engine", by: "ada" };

const record: RolloutRecord = {
  atMs: NOW_MS,
  rollout: "mail-12",
  revision: 4,
  from: "soaking",
  to: "soaking",
  code: "soaking",
  sentence: "540 s of the soak are left",
  wouldChange: "the end of the soak",
  by: "rollout",
  evaluations: [
    {
      gate: "failures",
      outcome: "inconclusive",
      value: 0.01,
      limit: 0.03,
      sample: 20,
      othersSample: 400,
      sentence: "30 more jobs are needed to compare",
      wouldChange: "30 more first attempts",
    },
  ],
};

const soaking = aRollout({ state: "soaking", revision: 4, stage: aStage({ step: 1 }) });

const view: RolloutView = {
  rollout: soaking,
  policy: aPolicy(),
  lastRecord: record,
  observation: anObservation({
    to: aView({
      taking: 5,
      tally: aTally(20, 1),
      byWorker: [{ worker: "w9", finished: 20, failed: 1, failedElsewhere: 0, stalls: 0 }],
    }),
    components: [{ kind: "tenant", name: "acme", finished: 9, failed: 1 }],
  }),
};

const halted: RolloutView = {
  rollout: aRollout({
    state: "halted",
    stage: aStage(),
    halt: {
      atMs: NOW_MS,
      gate: "failures",
      why: "it fails 34 %",
      suspects: [{ kind: "release", name: "mail-2", rate: 0.34, restRate: 0.01, finished: 41 }],
    },
    quarantined: [{ worker: "w9", release: "mail-2", atMs: NOW_MS, step: 0, why: "it fails" }],
    drainers: [{ release: "mail-0", sinceMs: START_MS, failed: true }],
    bypass: { kind: "force", by: "ada", why: "an incident", atMs: START_MS, expiresAtMs: NOW_MS },
  }),
  policy: aPolicy(),
  lastRecord: null,
  observation: null,
};

/** A server whose desk answers this, and what it was asked. */
async function serve(
  answer: Partial<{ start: StartAnswer; act: ActAnswer; views: readonly RolloutView[] }> = {},
  ports: Partial<ControlPorts> = {},
) {
  const { start = { kind: "started", rollout: aRollout() }, views = [view] } = answer;
  const { act = { kind: "done", rollout: soaking, record } } = answer;
  const asked: (readonly [string, unknown])[] = [];
  const acts: AuditAct[] = [];
  const calm = calmPorts();
  const say =
    <Said>(what: string, said: Said) =>
    async (ask: unknown) => {
      asked.push([what, ask]);
      return said;
    };
  const server = await buildControlServer({
    ...calm,
    loopbackOnly: true,
    clock: { nowMs: () => NOW_MS },
    rollouts: {
      list: async () => views,
      get: async (pool) => views.find(({ rollout }) => rollout.pool === pool) ?? null,
      history: async () => [halted.rollout],
      records: async (_pool, { limit }) => [record, record].slice(0, limit),
      start: say("start", start),
      lint: say("lint", start),
      act: say("act", act),
    },
    audit: { ...calm.audit, record: async (it) => void acts.push(it) },
    ...ports,
  });
  onTestFinished(() => server.close());
  const get = (url: string) => server.inject({ url, headers: { host } });
  const post = (url: string, payload: object, headers = {}) =>
    server.inject({ method: "POST", url: `/v1/rollouts${url}`, headers: { host, ...headers }, payload });
  return { server, asked, acts, get, post };
}

describe("GET /v1/rollouts", () => {
  test("tells how far each is, with times, numbers and sample sizes", async () => {
    const { get } = await serve();
    const answer = (await get("/v1/rollouts/mail")).json();
    expect(answer).toMatchObject({
      rollout: { id: "mail-12", pool: "mail", from: "mail-1", to: "mail-2", state: "soaking", revision: 4 },
      progress: { verdict: "going-on", isOver: false, running: { what: "soak", leftMs: 540_000 } },
      share: 0.25,
      lastRecord: { evaluations: [{ gate: "failures", sample: 20, othersSample: 400 }] },
      observation: { to: { taking: 5, ran: { finished: 20, failed: 1 } } },
    });
    // Steps are counted from 1, and times are texts.
    expect(answer.rollout.stage).toMatchObject({ step: 2, phaseSince: "1970-01-01T00:16:40.000Z" });
    expect(JSON.stringify(answer)).not.toMatch(/AtMs|SinceMs/);
    expect((await get("/v1/rollouts")).json()).toEqual({ rollouts: [answer] });
  });

  test("answers as the document says, whatever the rollout has come to", async () => {
    const { server, get } = await serve({
      views: [view, { ...halted, rollout: { ...halted.rollout, pool: "shop" } }],
    });
    const document = (
      await server.inject({ url: "/openapi.json", headers: { host } })
    ).json<OpenApiDocument>();
    const checks = new DocumentChecks(document);
    for (const [path, route] of [
      ["/v1/rollouts", "/v1/rollouts"],
      ["/v1/rollouts/shop", "/v1/rollouts/{pool}"],
      ["/v1/rollouts/mail/history", "/v1/rollouts/{pool}/history"],
      ["/v1/rollouts/mail/records?limit=1", "/v1/rollouts/{pool}/records"],
    ] as const) {
      const at = ["paths", route, "get", "responses", "200", "content", "application/json", "schema"];
      expect([path, checks.problem(at, (await get(path)).json())]).toEqual([path, null]);
    }
  });

  test("is 404 for a pool that never had one, and refuses a limit that is none", async () => {
    const { get } = await serve();
    const unknown = await get("/v1/rollouts/none");
    expect([unknown.statusCode, unknown.json().code]).toEqual([404, "ROLLOUT_NOT_FOUND"]);
    expect((await get("/v1/rollouts/mail/records?limit=501")).json().code).toBe("QUERY_INVALID");
    expect((await get("/v1/rollouts/mail/records?limit=1")).json().records).toHaveLength(1);
    expect((await get("/v1/rollouts/mail/history")).json().rollouts).toMatchObject([{ state: "halted" }]);
  });
});

describe("POST /v1/rollouts", () => {
  test("starts one, and audits who, why and what", async () => {
    const { post, asked, acts } = await serve();
    const answer = await post("", { pool: "mail", to: "mail-2", ...asking });
    expect([answer.statusCode, answer.json().rollout.id]).toEqual([201, "mail-12"]);
    expect(asked).toMatchObject([["start", { pool: "mail", to: "mail-2", ...asking }]]);
    expect(acts).toMatchObject([
      {
        action: "rollout.start",
        target: "mail",
        why: asking.why,
        after: { from: "mail-1", to: "mail-2", id: "mail-12" },
        outcome: "done",
      },
    ]);
  });

  test("opens a shut channel only for a while, which the audit names", async () => {
    const { post, asked, acts } = await serve();
    await post("", { pool: "mail", to: "mail-2", bypassChannelForMs: 3_600_000, ...asking });
    expect(asked).toMatchObject([["start", { bypassChannelUntilMs: NOW_MS + 3_600_000 }]]);
    // An hour and a minute after the builder's 1,000 s.
    expect(acts).toMatchObject([{ after: { bypassChannelUntil: "1970-01-01T01:17:40.000Z" } }]);
    const endless = await post("", { pool: "mail", to: "mail-2", bypassChannelForMs: 86_400_001, ...asking });
    expect(endless.statusCode).toBe(422);
  });

  test("names everything that is in the way, and audits the refusal", async () => {
    const blockers = [
      { code: "contract" as const, what: "lane mail.r1 would be left without a reader" },
      { code: "channel" as const, what: "mail-2 soaks in the pool play: 40 s left" },
    ];
    const { post, acts } = await serve({ start: { kind: "blocked", blockers } });
    const answer = await post("", { pool: "mail", to: "mail-2", ...asking });
    expect([answer.statusCode, answer.json().code]).toEqual([409, "ROLLOUT_BLOCKED"]);
    expect(answer.json().errors.map((it: { rule: string }) => it.rule)).toEqual(["contract", "channel"]);
    expect(acts).toMatchObject([{ outcome: "refused", after: { refused: ["contract", "channel"] } }]);
  });

  test("does not say that nothing happened when the answer is lost", async () => {
    const error = vi.fn();
    const log = Object.assign(createLog("test", "silent"), { error });
    const { rollouts } = calmPorts();
    const start = () => Promise.reject(new Error("away"));
    const { post, acts } = await serve({}, { log, rollouts: { ...rollouts, start } });
    const answer = await post("", { pool: "mail", to: "mail-2", ...asking });
    expect([answer.statusCode, answer.json().code]).toEqual([503, "ROLLOUT_CHANGE_UNKNOWN"]);
    expect(acts).toMatchObject([{ action: "rollout.start", outcome: "unknown" }]);
    expect(error).toHaveBeenCalled();
  });

  test.each<[object, string]>([
    [{ to: undefined }, "/to"],
    [{ pool: "" }, "/pool"],
    [{ why: undefined }, "/why"],
    [{ why: "now\nand then" }, "/why"],
    [{ by: undefined }, "/by"],
    [{ force: true }, ""],
  ])("refuses a body with %j", async (changes, pointer) => {
    const { post, asked } = await serve();
    const answer = await post("", { pool: "mail", to: "mail-2", ...asking, ...changes });
    expect([answer.statusCode, answer.json().code]).toEqual([422, "BODY_INVALID"]);
    expect(answer.json().errors).toMatchObject([{ pointer }]);
    expect(asked).toEqual([]);
  });
});

describe("POST .../lint", () => {
  test("tells what would be in the way, and is no act", async () => {
    const { post, acts } = await serve();
    const fine = await post("/mail/lint", { to: "mail-2" });
    expect(fine.json()).toEqual({ pool: "mail", to: "mail-2", mayStart: true, blockers: [] });
    const blockers = [{ code: "window-open" as const, what: "close it first" }];
    const blocked = await (await serve({ start: { kind: "blocked", blockers } })).post("/mail/lint", {
      to: "mail-2",
    });
    expect([blocked.statusCode, blocked.json()]).toMatchObject([200, { mayStart: false, blockers }]);
    expect(acts).toEqual([]);
  });
});

describe("POST .../{act}", () => {
  test.each(["pause", "resume", "retry", "promote", "promote-full", "abort", "undo", "close"])(
    "%s is stored with who and why, and audited with what it changed",
    async (act) => {
      const { post, asked, acts } = await serve();
      const answer = await post(`/mail/${act}`, asking);
      expect([answer.statusCode, answer.json()]).toMatchObject([
        200,
        { rollout: { revision: 4 }, record: { sentence: record.sentence } },
      ]);
      expect(asked).toMatchObject([["act", { pool: "mail", kind: act, ...asking }]]);
      expect(acts).toMatchObject([
        {
          action: `rollout.${act}`,
          target: "mail",
          before: { revision: 3, state: "soaking" },
          after: { by: "ada", id: "mail-12", revision: 4 },
          outcome: "done",
        },
      ]);
    },
  );

  test("force has an end, which the audit names", async () => {
    const { post, asked, acts } = await serve();
    await post("/mail/force", { ...asking, expiresInMs: 1_800_000 });
    expect(asked).toMatchObject([["act", { kind: "force", expiresAtMs: NOW_MS + 1_800_000 }]]);
    // Half an hour and a minute after the builder's 1,000 s.
    expect(acts).toMatchObject([
      { after: { by: "ada", expiresAt: "1970-01-01T00:47:40.000Z" }, why: asking.why },
    ]);
  });

  test("revise names the build, and any act the revision that was seen", async () => {
    const { post, asked } = await serve();
    await post("/mail/revise", { ...asking, to: "mail-3", expected: 4 });
    expect(asked).toMatchObject([["act", { kind: "revise", to: "mail-3", revision: 4 }]]);
  });

  test.each<[ActAnswer, number, string]>([
    [{ kind: "unknown-pool", pools: ["mail"] }, 404, "POOL_UNKNOWN"],
    [{ kind: "no-rollout" }, 404, "ROLLOUT_NOT_FOUND"],
    [{ kind: "refused", code: "stale-revision", reason: "it is at 5" }, 409, "ROLLOUT_CHANGED"],
    [{ kind: "refused", code: "not-in-this-state", reason: "it is current" }, 409, "ROLLOUT_STATE"],
    [{ kind: "refused", code: "expiry-wrong", reason: "say when" }, 422, "BODY_INVALID"],
    [{ kind: "refused", code: "release-wrong", reason: "name another" }, 422, "BODY_INVALID"],
  ])("answers %j with %i %s, and notes that nothing changed", async (act, status, code) => {
    const { post, acts } = await serve({ act });
    const answer = await post("/mail/abort", asking);
    expect([answer.statusCode, answer.json().code]).toEqual([status, code]);
    expect(acts).toMatchObject([{ outcome: "refused", why: asking.why }]);
  });

  test("is 404 for an act that is none, and asks nobody", async () => {
    const { post, asked } = await serve();
    const answer = await post("/mail/explode", asking);
    expect([answer.statusCode, answer.json().code]).toEqual([404, "ROLLOUT_ACT_UNKNOWN"]);
    expect(asked).toEqual([]);
  });

  test("notes whom the key names, and is not for a key that only reads", async () => {
    const [ops, reader] = [testKey(["ops:write"], { name: "night-shift" }), testKey(["ops:read"])];
    const { post, asked } = await serve({}, { authentication: keysOnly([ops, reader]) });
    expect((await post("/mail/abort", asking, ops.bearer)).statusCode).toBe(200);
    for (const path of ["", "/mail/lint", "/mail/abort"]) {
      expect((await post(path, asking, reader.bearer)).statusCode).toBe(403);
    }
    expect(asked).toMatchObject([["act", { by: "night-shift" }]]);
  });
});
