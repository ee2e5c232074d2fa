/**
 * The desk at which people ask about rollouts and for them, over what is stored.
 *
 * Any autoscaler has one, leading or not: a wish is stored by compare-and-set, and the leader's next look carries it
 * out. Nothing here moves a worker, a gate or a job. It judges nothing: preflight, channels and acts are decided in
 * `autoscaler/rollout/`. Times are Redis' own.
 */
import { RedisUnavailableError, SluiceError } from "#shared/errors";
import type { Log } from "#shared/log";
import type { RolloutStore } from "#shared/redis/rollout-store";
import { rolloutPolicyOf, type SluiceConfig } from "#shared/sluice-config";
import { toRfc3339 } from "#shared/system-clock";
import type { Observation } from "../observe.ts";
import { decidePreflight } from "../rollout/decide-preflight.ts";
import { decideTransition, type RolloutRecord } from "../rollout/decide-transition.ts";
import type {
  ActAnswer,
  ActAsk,
  RolloutDesk,
  RolloutView,
  StartAnswer,
  StartAsk,
} from "../rollout/rollout-desk.ts";
import { type Rollout, rolloutDocument } from "../rollout/rollout-document.ts";
import type { OperatorAct } from "../rollout/rollout-observation.ts";
import { askedChannel } from "./asked-channel.ts";
import { gatesOf } from "./contract-view.ts";
import { type Asked, preflightFacts } from "./preflight-facts.ts";
import type { RolloutKeeper } from "./rollout-keeper.ts";

/** Somebody else may change the rollout at the same moment; each lost race is one retry. */
const ATTEMPTS_MAX = 5;

export interface KeepingDeskPorts {
  readonly config: SluiceConfig;
  readonly log: Log;
  readonly store: RolloutStore;
  readonly keeper: Pick<RolloutKeeper, "seen">;
  /** The answer, or a rejection when it takes too long. */
  soon<Answer>(answer: Promise<Answer>): Promise<Answer>;
  /** A new look at everything. Rejects when Redis is away. */
  look(): Promise<Observation>;
  /** Something was stored: the leader may look at once. */
  onStored(): void;
}

type Ready = { readonly kind: "ready"; readonly rollout: Rollout; readonly latest: Rollout | null };

export class KeepingDesk implements RolloutDesk {
  readonly #ports: KeepingDeskPorts;

  constructor(ports: KeepingDeskPorts) {
    this.#ports = ports;
  }

  async list(): Promise<readonly RolloutView[]> {
    const stored = await this.#asked(() => this.#ports.store.readAll());
    const rollouts = [...stored.values()].flatMap((it) => rolloutIn(it) ?? []);
    return Promise.all(rollouts.map((it) => this.#view(it)));
  }

  async get(pool: string): Promise<RolloutView | null> {
    const rollout = rolloutIn(await this.#asked(() => this.#ports.store.read(pool)));
    return rollout === null ? null : this.#view(rollout);
  }

  async history(pool: string): Promise<readonly Rollout[]> {
    const past = await this.#asked(() => this.#ports.store.past(pool));
    return past.flatMap((it) => rolloutIn(it) ?? []);
  }

  async records(pool: string, { limit }: { readonly limit: number }): Promise<readonly RolloutRecord[]> {
    const records = await this.#asked(() => this.#ports.store.records(pool, limit));
    return records.flatMap((it) => (isRecord(it) ? [it] : []));
  }

  async lint(ask: StartAsk): Promise<StartAnswer> {
    const checked = await this.#asked(() => this.#check(ask));
    return checked.kind === "ready" ? { kind: "started", rollout: checked.rollout } : checked;
  }

  start(ask: StartAsk): Promise<StartAnswer> {
    return this.#asked(async () => {
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
        const checked = await this.#check(ask);
        if (checked.kind !== "ready") return checked;
        const { rollout, latest } = checked;
        await this.#openChannel(ask);
        if (!(await this.#ports.store.begin(rollout, { latest, record: beginning(rollout, ask) }))) continue;
        this.#ports.onStored();
        return { kind: "started", rollout };
      }
      throw new Error(`The rollout of ${ask.pool} changed ${ATTEMPTS_MAX} times while it was being started`);
    });
  }

  act(ask: ActAsk): Promise<ActAnswer> {
    return this.#asked(async () => {
      if (!Object.hasOwn(this.#ports.config.pools, ask.pool)) return this.#unknownPool();
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
        const answer = await this.#act(ask);
        if (answer !== null) return answer;
      }
      return {
        kind: "refused",
        code: "stale-revision",
        reason: "the rollout changes all the time; look again",
      };
    });
  }

  /** `null`: somebody else was first. */
  async #act(ask: ActAsk): Promise<ActAnswer | null> {
    const { store, config } = this.#ports;
    const [stored, nowMs] = await Promise.all([store.read(ask.pool), store.nowMs()]);
    const rollout = rolloutIn(stored);
    if (rollout === null) return { kind: "no-rollout" };
    const refusal = ask.kind === "revise" ? await this.#reviseRefusal(ask) : null;
    if (refusal !== null) return refusal;
    const act: OperatorAct = {
      kind: ask.kind,
      by: ask.by,
      why: ask.why,
      ...(ask.expiresAtMs === undefined ? {} : { expiresAtMs: ask.expiresAtMs }),
      ...(ask.to === undefined ? {} : { to: ask.to, gates: await this.#gatesOf(ask.pool, ask.to) }),
    };
    const event = { kind: "act" as const, revision: ask.revision ?? rollout.revision, act };
    // Documents are dated by Redis' clock, which may have been set back.
    const atMs = Math.max(nowMs, rollout.updatedAtMs);
    const policy = rolloutPolicyOf(config, ask.pool);
    const decision = decideTransition(rollout, event, { policy, nowMs: atMs });
    if (decision.kind === "refused") return decision;
    const { record } = decision;
    const change = { expected: rollout.revision, rollout: decision.rollout, record, epoch: null };
    if (!(await store.change(change))) return null;
    this.#ports.onStored();
    return { kind: "done", rollout: decision.rollout, record };
  }

  async #check(ask: StartAsk): Promise<Ready | Exclude<StartAnswer, { kind: "started" }>> {
    const { config, store } = this.#ports;
    if (!Object.hasOwn(config.pools, ask.pool)) return this.#unknownPool();
    const [observation, rollouts, nowMs] = await Promise.all([
      this.#ports.look(),
      this.#rollouts(),
      store.nowMs(),
    ]);
    const latest = rollouts.get(ask.pool) ?? null;
    const asked: Asked = { ask, config, observation, latest, nowMs };
    const { request, facts } = preflightFacts(asked);
    const preflight = decidePreflight(request, facts);
    const channel = askedChannel(asked, {
      rollouts,
      past: (pool) => this.history(pool),
      bypasses: await store.bypasses(),
    });
    const blockers = [
      ...(config.pools[ask.pool]?.takeover === "rollout" ? [] : [atOnce(ask.pool)]),
      ...(preflight.kind === "blocked" ? preflight.blockers : []),
      ...(await channel),
    ];
    if (blockers.length > 0 || preflight.kind === "blocked") return { kind: "blocked", blockers };
    return { kind: "ready", rollout: preflight.rollout, latest };
  }

  /** Only one who starts the rollout by it opens the channel. */
  async #openChannel({ pool, to, by, why, bypassChannelUntilMs }: StartAsk): Promise<void> {
    const channel = this.#ports.config.channels?.find(({ pools }) => pools.includes(pool));
    if (channel === undefined || bypassChannelUntilMs === undefined) return;
    const opened = { channel: channel.name, release: to, by, why, expiresAtMs: bypassChannelUntilMs };
    await this.#ports.store.bypass(opened);
    this.#ports.log.warn(opened, "a channel is opened to a release");
  }

  async #reviseRefusal({ pool, to }: ActAsk): Promise<ActAnswer | null> {
    if (to === undefined) return null;
    const { document } = await this.#ports.look();
    const known = Object.hasOwn(document.releases, to) ? document.releases[to] : undefined;
    const isStartable = this.#ports.config.releases.some(({ id }) => id === to);
    if (known?.state === "live" && isStartable && Object.hasOwn(known.queues, pool)) return null;
    const reason = `${to} is not a live release of the pool ${pool}; add and publish it first`;
    return { kind: "refused", code: "release-wrong", reason };
  }

  async #gatesOf(pool: string, to: string): Promise<Rollout["gates"]> {
    const { document } = await this.#ports.look();
    return gatesOf(document, pool, to);
  }

  async #rollouts(): Promise<ReadonlyMap<string, Rollout>> {
    const stored = await this.#ports.store.readAll();
    return new Map(
      [...stored].flatMap(([pool, it]) => {
        const rollout = rolloutIn(it);
        return rollout === null ? [] : [[pool, rollout] as const];
      }),
    );
  }

  async #view(rollout: Rollout): Promise<RolloutView> {
    const seen = this.#ports.keeper.seen(rollout);
    const [last] = seen === null ? await this.records(rollout.pool, { limit: 1 }) : [];
    return {
      rollout,
      policy: rolloutPolicyOf(this.#ports.config, rollout.pool),
      lastRecord: seen?.record ?? (last?.rollout === rollout.id ? last : null),
      observation: seen?.observation ?? null,
    };
  }

  #unknownPool(): { readonly kind: "unknown-pool"; readonly pools: readonly string[] } {
    return { kind: "unknown-pool", pools: Object.keys(this.#ports.config.pools) };
  }

  /** @throws {RedisUnavailableError} when Redis does not answer soon. */
  async #asked<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    try {
      return await this.#ports.soon(ask());
    } catch (error) {
      if (error instanceof SluiceError || error instanceof TypeError) throw error;
      throw new RedisUnavailableError({ cause: error });
    }
  }
}

function rolloutIn(stored: unknown): Rollout | null {
  const read = rolloutDocument.safeParse(stored);
  return read.success ? read.data : null;
}

/** Written by this program alone; what another version wrote may lack something and is left out then. */
function isRecord(stored: unknown): stored is RolloutRecord {
  if (typeof stored !== "object" || stored === null) return false;
  const { rollout, code, sentence, evaluations } = stored as Partial<Record<keyof RolloutRecord, unknown>>;
  const texts = [rollout, code, sentence].every((it) => typeof it === "string");
  return texts && Array.isArray(evaluations);
}

function atOnce(pool: string) {
  const what = `the newest release has the pool ${pool} at once; set pools.${pool}.takeover to "rollout"`;
  return { code: "takeover-at-once" as const, what };
}

function beginning(rollout: Rollout, { by, why, bypassChannelUntilMs }: StartAsk): RolloutRecord {
  const opened =
    bypassChannelUntilMs === undefined
      ? ""
      : ` (its channel is opened until ${toRfc3339(bypassChannelUntilMs)})`;
  return {
    atMs: rollout.createdAtMs,
    rollout: rollout.id,
    revision: rollout.revision,
    from: rollout.state,
    to: rollout.state,
    code: "start",
    sentence: `${by} starts ${rollout.from} -> ${rollout.to}: ${why}${opened}`,
    wouldChange: null,
    by,
    evaluations: [],
  };
}
