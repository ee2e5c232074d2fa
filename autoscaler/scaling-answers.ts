/** What the control API asks about scaling, each answered soon or not at all. */
import type { DecisionRange, DecisionStore } from "#shared/redis/decision-store";
import type { DecisionPorts } from "./control-api/decision-routes.ts";
import type { ScalingPorts } from "./control-api/scaling-routes.ts";
import {
  type BoundsRequest,
  type DropRequest,
  type FreezeRequest,
  OverridesKeeper,
  type OverridesKeeperPorts,
} from "./overrides-keeper.ts";

export interface ScalingAnswersPorts extends OverridesKeeperPorts {
  readonly decisions: DecisionStore;
  /** Rejects when there is no answer in time. */
  soon<Answer>(answer: Promise<Answer>): Promise<Answer>;
}

export function scalingAnswers(ports: ScalingAnswersPorts): DecisionPorts & Pick<ScalingPorts, "scaling"> {
  const { decisions, soon } = ports;
  const keeper = new OverridesKeeper(ports);
  return {
    decisions: {
      page: (range: DecisionRange) => soon(decisions.page(range)),
      find: (id: string) => soon(decisions.find(id)),
      newestOf: (pools: readonly string[]) => soon(decisions.newestOf(pools)),
    },
    scaling: {
      view: () => soon(keeper.view()),
      freeze: (request: FreezeRequest) => soon(keeper.freeze(request)),
      thaw: (request: DropRequest) => soon(keeper.thaw(request)),
      bound: (request: BoundsRequest) => soon(keeper.bound(request)),
      unbound: (request: DropRequest) => soon(keeper.unbound(request)),
    },
  };
}
