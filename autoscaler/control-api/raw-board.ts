/**
 * `/raw`: bull-board over every lane, `.parked` and `.dead`, to look at single jobs.
 *
 * It only shows. The server refuses every method but GET and HEAD before bull-board sees it, and the
 * board is told to hide its buttons; each alone would do. The board loads script, so its pages have a
 * policy of their own that lets nothing be fetched from another host.
 */
import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { FastifyAdapter } from "@bull-board/fastify";
import type { FastifyInstance } from "fastify";
import { sendProblem } from "#shared/http/send-problem";
import { deadName, parkedName } from "#shared/lane";
import type { Log } from "#shared/log";
import type { LaneQueues } from "#shared/redis/lane-queues";
import type { Snapshot } from "../snapshot.ts";
import { causeOf, problemFor, readRedis } from "./problems.ts";

export const RAW_PATH = "/raw";

/** Inline styles are the board's own; its link to a font service is blocked and the system's font is used. */
const RAW_CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export interface RawBoardPorts {
  readonly log: Log;
  readonly queues: Pick<LaneQueues, "open">;
  snapshot(): Promise<Snapshot>;
}

export async function addRawBoard(server: FastifyInstance, ports: RawBoardPorts): Promise<void> {
  const board = new RawBoard(ports.queues);
  board.adapter.setErrorHandler((error) => {
    const problem = problemFor(error);
    if (problem.status >= 500) ports.log.error({ err: error, code: problem.code }, "raw board failed");
    // The board's own type lists only the statuses that it uses itself.
    return { status: problem.status as 500, body: problem };
  });

  await server.register((scope, _options, done) => {
    scope.addHook("onRequest", (_request, reply, next) => {
      reply.header("content-security-policy", RAW_CONTENT_SECURITY_POLICY);
      next();
    });
    // The board registers its own routes; a credential is asked for each of them.
    scope.addHook("onRoute", (route) => {
      route.config = { ...route.config, scope: "ops:read" };
    });
    scope.addHook("preHandler", async (request, reply) => {
      if (request.url.startsWith(`${RAW_PATH}/static/`)) return;
      try {
        await readRedis(ports.snapshot().then((snapshot) => board.show(snapshot)));
      } catch (error) {
        ports.log.warn({ err: causeOf(error) }, "raw board has nothing to show");
        return sendProblem(reply, problemFor(error));
      }
    });
    scope.register(board.adapter.registerPlugin(), { prefix: RAW_PATH });
    done();
  });
}

class RawBoard {
  readonly adapter = new FastifyAdapter().setBasePath(RAW_PATH);
  readonly #queues: Pick<LaneQueues, "open">;
  readonly #shown = new Map<string, BullMQAdapter>();
  readonly #board;

  constructor(queues: Pick<LaneQueues, "open">) {
    this.#queues = queues;
    this.#board = createBullBoard({
      queues: [],
      serverAdapter: this.adapter,
      options: {
        uiConfig: {
          boardTitle: "Sluice, raw queues",
          miscLinks: [{ text: "Overview", url: "/" }],
          hideDocsLink: true,
          locale: { lng: "en" },
          // CLIENT LIST once a queue and poll tells less than the overview does.
          showWorkers: false,
        },
      },
    });
  }

  /** Shows the queues of `snapshot` and no others. Rejects when Redis is away. */
  async show({ queues }: Snapshot): Promise<void> {
    const places = queues.flatMap(({ queue, lanes }) => [
      ...lanes.map(({ lane }) => lane),
      parkedName(queue),
      deadName(queue),
    ]);
    const isShown = places.length === this.#shown.size && places.every((place) => this.#shown.has(place));
    if (isShown) return;
    const adapters = await Promise.all(
      places.map(async (place) => [place, await this.#open(place)] as const),
    );
    this.#shown.clear();
    for (const [place, adapter] of adapters) this.#shown.set(place, adapter);
    this.#board.replaceQueues([...this.#shown.values()]);
  }

  async #open(place: string): Promise<BullMQAdapter> {
    const known = this.#shown.get(place);
    if (known !== undefined) return known;
    const queue = await this.#queues.open(place);
    return new BullMQAdapter(queue, { readOnlyMode: true, allowRetries: false, delimiter: "." });
  }
}
