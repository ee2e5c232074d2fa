/**
 * KEDA's external push scaler: how many workers a pool, or one release of it, should have, with a target of one.
 *
 * A number that is not known is an error with the status UNAVAILABLE and never a 0: KEDA then leaves the replicas as
 * they are. A stream ends with that error too, and KEDA opens it again.
 */
import {
  type Metadata,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import type { Clock } from "#shared/clock";
import type { Log } from "#shared/log";
import { CallRefusedError } from "./call-refused.ts";
import type { CallerCheck } from "./caller-check.ts";
import type { KnownDesired } from "./decide-desired-answer.ts";
import type { DesiredNumbers } from "./desired-numbers.ts";
import type {
  GetMetricSpecResponse,
  GetMetricsRequest,
  GetMetricsResponse,
  IsActiveResponse,
  ScaledObjectRef,
} from "./scaler-protocol.ts";
import { questionIn } from "./trigger-metadata.ts";

/** How often a stream looks whether something has changed. */
const STREAM_LOOK_MS = 500;

/** One for each ScaledObject is what KEDA opens. */
const STREAMS_MAX = 1_000;

/** One worker is one replica. */
const TARGET = 1;

export interface KedaScalerPorts {
  readonly numbers: DesiredNumbers;
  readonly callers: CallerCheck;
  readonly clock: Clock;
  readonly log: Log;
}

interface Asked {
  readonly metadata: Metadata;
  getPeer(): string;
}

export class KedaScaler {
  readonly #ports: KedaScalerPorts;
  readonly #stop = new AbortController();
  #streams = 0;

  constructor(ports: KedaScalerPorts) {
    this.#ports = ports;
  }

  /** What the server offers, by the names of the protocol. */
  get service() {
    return {
      IsActive: this.#unary<ScaledObjectRef, IsActiveResponse>(async (ref) => ({
        result: (await this.#known(ref)).workers > 0,
      })),
      StreamIsActive: (call: ServerWritableStream<ScaledObjectRef, IsActiveResponse>) => {
        void this.#stream(call);
      },
      GetMetricSpec: this.#unary<ScaledObjectRef, GetMetricSpecResponse>(async (ref) => {
        // A wrong trigger is told of at once, and not when the first number is asked for.
        await this.#known(ref).catch(unlessUnknown);
        return {
          metricSpecs: [{ metricName: metricNameOf(ref), targetSize: TARGET, targetSizeFloat: TARGET }],
        };
      }),
      GetMetrics: this.#unary<GetMetricsRequest, GetMetricsResponse>(async ({ scaledObjectRef: ref }) => {
        const { workers } = await this.#known(ref);
        const metricName = metricNameOf(ref);
        return { metricValues: [{ metricName, metricValue: workers, metricValueFloat: workers }] };
      }),
    };
  }

  /** Ends all streams. */
  close(): void {
    this.#stop.abort();
  }

  #unary<Request, Answer>(answer: (request: Request) => Promise<Answer>) {
    return (call: ServerUnaryCall<Request, Answer>, reply: sendUnaryData<Answer>) => {
      this.#admit(call)
        .then(() => answer(call.request))
        .then(
          (it) => reply(null, it),
          (error: unknown) => reply(this.#refusal(error)),
        );
    };
  }

  async #stream(call: ServerWritableStream<ScaledObjectRef, IsActiveResponse>): Promise<void> {
    const over = new AbortController();
    for (const event of ["cancelled", "close", "error"]) call.on(event, () => over.abort());
    const ended = AbortSignal.any([over.signal, this.#stop.signal]);
    this.#streams += 1;
    try {
      if (this.#streams > STREAMS_MAX) {
        throw new CallRefusedError(status.RESOURCE_EXHAUSTED, `More than ${STREAMS_MAX} streams are open.`);
      }
      await this.#admit(call);
      await this.#tell(call, ended);
      if (!over.signal.aborted) call.end();
    } catch (error) {
      if (!over.signal.aborted) call.emit("error", this.#refusal(error));
    } finally {
      this.#streams -= 1;
    }
  }

  async #tell(call: ServerWritableStream<ScaledObjectRef, IsActiveResponse>, ended: AbortSignal) {
    let said: boolean | null = null;
    while (!ended.aborted) {
      const isActive = (await this.#known(call.request)).workers > 0;
      if (ended.aborted) return;
      if (isActive !== said) call.write({ result: isActive });
      said = isActive;
      await this.#ports.clock.sleep(STREAM_LOOK_MS, ended);
    }
  }

  /** @throws {CallRefusedError} when the trigger is wrong, or the number is not known. */
  async #known(ref: ScaledObjectRef | null): Promise<KnownDesired> {
    const question = questionIn(ref);
    const answer = await this.#ports.numbers.answer(question);
    if (answer.kind === "known") return answer;
    const code = answer.kind === "wrong" ? status.INVALID_ARGUMENT : status.UNAVAILABLE;
    throw new CallRefusedError(code, `scalerMetadata.${answer.field}: ${answer.reason}`);
  }

  async #admit(call: Asked): Promise<void> {
    const [authorization] = call.metadata.get("authorization");
    await this.#ports.callers.admit({
      authorization: typeof authorization === "string" ? authorization : null,
      peer: call.getPeer(),
    });
  }

  /** What is said of a failure: our own words, and nothing of what failed inside. */
  #refusal(error: unknown): { readonly code: status; readonly details: string } {
    if (error instanceof CallRefusedError) return { code: error.code, details: error.message };
    this.#ports.log.warn({ err: error }, "the scaler has no number to give");
    return {
      code: status.UNAVAILABLE,
      details: "Redis did not answer, so the number of workers is not known.",
    };
  }
}

function unlessUnknown(error: unknown): void {
  if (error instanceof CallRefusedError && error.code === status.INVALID_ARGUMENT) throw error;
}

/** KEDA and the HPA show it; it tells one trigger from another. */
function metricNameOf(ref: ScaledObjectRef | null): string {
  const { pool, release } = questionIn(ref);
  return ["sluice-desired-workers", pool, ...(release === null ? [] : [release])].join("-");
}
