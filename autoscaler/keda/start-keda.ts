/**
 * The scaler as a server: binds, serves until it is told to stop, and ends in time.
 */
import { readFile } from "node:fs/promises";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { Clock } from "#shared/clock";
import { ConfigInvalidError } from "#shared/errors";
import type { Authentication } from "#shared/http/authenticate";
import type { Log } from "#shared/log";
import { untilAborted } from "#shared/until-aborted";
import { CallerCheck } from "./caller-check.ts";
import type { DesiredNumbers } from "./desired-numbers.ts";
import { KedaScaler } from "./keda-scaler.ts";
import type { KedaSettings } from "./keda-settings.ts";
import { externalScaler } from "./scaler-protocol.ts";

/** What KEDA sends is a few hundred bytes. */
const MESSAGE_BYTES_MAX = 64 * 1_024;

const SHUTDOWN_MS = 1_000;

export interface KedaPorts {
  readonly numbers: DesiredNumbers;
  readonly authentication: Authentication;
  readonly clock: Clock;
  readonly log: Log;
}

export interface StartedKeda {
  readonly port: number;
  /** Resolves once `stop` has aborted and all calls have ended. */
  run(stop: AbortSignal): Promise<void>;
}

/** @throws {ConfigInvalidError} for files that cannot be read or used; an Error when the address is taken. */
export async function startKeda(settings: KedaSettings, ports: KedaPorts): Promise<StartedKeda> {
  const { host, tls } = settings;
  const { clock, log, numbers } = ports;
  // A certificate that our own authority has signed says enough of who asks.
  const asksForKey = tls === null || tls.clientCaPath === null;
  const callers = new CallerCheck(asksForKey ? ports.authentication : "off");
  const scaler = new KedaScaler({ numbers, callers, clock, log });
  const server = new Server({
    "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
    "grpc.max_concurrent_streams": 1_000,
  });
  server.addService(externalScaler().service, scaler.service);
  const credentials = await credentialsOf(settings);
  const address = `${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${settings.port}`;
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  log.info({ port }, "the scaler for KEDA is listening");
  return {
    port,
    run: async (stop) => {
      await untilAborted(stop);
      scaler.close();
      const closed = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      await Promise.race([closed, clock.sleep(SHUTDOWN_MS)]);
      server.forceShutdown();
    },
  };
}

async function credentialsOf({ tls }: KedaSettings): Promise<ServerCredentials> {
  if (tls === null) return ServerCredentials.createInsecure();
  const [cert, key, clientCa] = await Promise.all([
    pemIn("SLUICE_KEDA_TLS_CERT", tls.certPath),
    pemIn("SLUICE_KEDA_TLS_KEY", tls.keyPath),
    tls.clientCaPath === null ? null : pemIn("SLUICE_KEDA_CLIENT_CA", tls.clientCaPath),
  ]);
  try {
    const pair = { cert_chain: cert, private_key: key };
    return ServerCredentials.createSsl(clientCa, [pair], clientCa !== null);
  } catch (cause) {
    throw unusable("SLUICE_KEDA_TLS_CERT", cause);
  }
}

async function pemIn(variable: string, path: string): Promise<Buffer> {
  return readFile(path).catch((cause: unknown) => {
    throw unusable(variable, cause);
  });
}

function unusable(variable: string, cause: unknown): ConfigInvalidError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ConfigInvalidError("The environment", [`${variable}: cannot be used: ${reason}`]);
}
