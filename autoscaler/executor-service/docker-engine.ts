/**
 * The few questions and orders that the executor has for a Docker engine, over its HTTP API on a Unix socket.
 *
 * Nothing here decides; and no method takes a part of a container's specification from outside: `create` is given what
 * `container-spec.ts` has made.
 */
import { z } from "zod";
import type { ContainerSpec } from "./container-spec.ts";
import { type JsonRequest, requestJson } from "./json-request.ts";

/** Engine 20.10 and newer. */
const API = "/v1.41";
const TIMEOUT_MS = 15_000;
const PULL_TIMEOUT_MS = 300_000;

const listed = z.array(
  z.object({
    Id: z.string(),
    Names: z.array(z.string()),
    State: z.string(),
    /** Seconds since the Unix epoch. */
    Created: z.number(),
    Labels: z.record(z.string(), z.string()).nullable(),
  }),
);

export type ListedContainer = z.output<typeof listed>[number];

const inspected = z.object({
  State: z.object({
    ExitCode: z.int(),
    OOMKilled: z.boolean(),
    StartedAt: z.string(),
    FinishedAt: z.string(),
  }),
});

export type ContainerEnd = z.output<typeof inspected>["State"];

/** The engine has refused, or does not answer. */
export class EngineError extends Error {
  readonly status: number | null;

  constructor(message: string, status: number | null) {
    super(message);
    this.status = status;
  }
}

export class DockerEngine {
  readonly #socket: string;

  /** @param socket absolute path. */
  constructor(socket: string) {
    this.#socket = socket;
  }

  /** Id of an image, `null` when the engine has none of that name. @throws {EngineError} */
  async imageId(name: string): Promise<string | null> {
    const { status, body } = await this.#ask("GET", `/images/${encodeURIComponent(name)}/json`);
    if (status === 404) return null;
    return z.object({ Id: z.string() }).parse(accepted(body, status, `image ${name}`)).Id;
  }

  /** @throws {EngineError} */
  async pull(name: string): Promise<void> {
    const path = `/images/create?fromImage=${encodeURIComponent(name)}`;
    const { status, body, bytes } = await this.#ask("POST", path, { timeoutMs: PULL_TIMEOUT_MS });
    accepted(body, status, `pull of ${name}`);
    // It tells its progress in lines, and a failure in the last of them.
    const failure = /"error":"([^"]{1,300})/.exec(bytes.toString("utf8"))?.[1];
    if (failure !== undefined) throw new EngineError(`pull of ${name}: ${failure}`, status);
  }

  /** All containers with the label, running or not. @throws {EngineError} */
  async list(label: string): Promise<readonly ListedContainer[]> {
    const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
    const { status, body } = await this.#ask("GET", `/containers/json?all=1&filters=${filters}`);
    return listed.parse(accepted(body, status, "the list of containers"));
  }

  /** Id of the new container, which does not run yet. @throws {EngineError} */
  async create(name: string, spec: ContainerSpec): Promise<string> {
    const path = `/containers/create?name=${encodeURIComponent(name)}`;
    const { status, body } = await this.#ask("POST", path, { body: spec });
    return z.object({ Id: z.string() }).parse(accepted(body, status, `container ${name}`)).Id;
  }

  /** @throws {EngineError} */
  async start(id: string): Promise<void> {
    const { status, body } = await this.#ask("POST", `/containers/${id}/start`);
    accepted(body, status, "start of the container");
  }

  /** Nothing happens when it has ended. @throws {EngineError} */
  async signal(id: string, name: "SIGTERM" | "SIGKILL"): Promise<void> {
    const { status, body } = await this.#ask("POST", `/containers/${id}/kill?signal=${name}`);
    // 404: gone; 409: not running.
    if (status !== 404 && status !== 409) accepted(body, status, `${name} to a container`);
  }

  /** @throws {EngineError} */
  async rename(id: string, name: string): Promise<void> {
    const { status, body } = await this.#ask(
      "POST",
      `/containers/${id}/rename?name=${encodeURIComponent(name)}`,
    );
    if (status !== 404) accepted(body, status, "rename of a container");
  }

  /** Kills it too when it runs. @throws {EngineError} */
  async remove(id: string): Promise<void> {
    const { status, body } = await this.#ask("DELETE", `/containers/${id}?force=1&v=1`);
    // 409: it is being removed already.
    if (status !== 404 && status !== 409) accepted(body, status, "removal of a container");
  }

  /** How a container has ended, `null` when it is gone. @throws {EngineError} */
  async endOf(id: string): Promise<ContainerEnd | null> {
    const { status, body } = await this.#ask("GET", `/containers/${id}/json`);
    return status === 404 ? null : inspected.parse(accepted(body, status, "a container")).State;
  }

  /** The last lines that it has written; as raw bytes, with the engine's frames among them. Never throws. */
  async lastLines(id: string): Promise<string> {
    const path = `/containers/${id}/logs?stdout=1&stderr=1&tail=20`;
    const answer = await this.#ask("GET", path).catch(() => null);
    return answer?.status === 200 ? answer.bytes.toString("utf8") : "";
  }

  async #ask(
    method: JsonRequest["method"],
    path: string,
    { body, timeoutMs = TIMEOUT_MS }: { readonly body?: unknown; readonly timeoutMs?: number } = {},
  ) {
    try {
      return await requestJson({ server: this.#socket, method, path: `${API}${path}`, body, timeoutMs });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new EngineError(`the container engine does not answer (${why})`, null);
    }
  }
}

/** @throws {EngineError} */
function accepted(body: unknown, status: number, what: string): unknown {
  // 304: it is so already.
  if ((status >= 200 && status < 300) || status === 304) return body;
  const told = z.object({ message: z.string() }).safeParse(body);
  throw new EngineError(`${what}: ${told.success ? told.data.message : `status ${status}`}`, status);
}
