/**
 * The variables of the KEDA scaler, and which of them go together.
 *
 * Beyond loopback it answers only callers that it can tell apart: by a client certificate, which KEDA can show, or by
 * an API key, which KEDA cannot.
 */
import { z } from "zod";
import { ConfigInvalidError } from "#shared/errors";
import { isLoopback } from "#shared/http/loopback";
import type { AuthMode } from "#shared/process-env";
import { count } from "#shared/read-config";

const file = z.string().min(1).optional();

export const kedaVariables = {
  SLUICE_KEDA_PORT: count(0, 65_535)
    .optional()
    .describe("Port of the gRPC scaler for KEDA, 0 for a free one; there is none when missing."),
  SLUICE_KEDA_HOST: z.string().default("127.0.0.1").describe("Address that the scaler listens on."),
  SLUICE_KEDA_TLS_CERT: file.describe("PEM file with the scaler's certificate; without it there is no TLS."),
  SLUICE_KEDA_TLS_KEY: file.describe("PEM file with the certificate's private key."),
  SLUICE_KEDA_CLIENT_CA: file.describe(
    "PEM file of who signs callers' certificates; with it a caller must show one.",
  ),
} as const;

export interface KedaTls {
  readonly certPath: string;
  readonly keyPath: string;
  /** `null`: callers need no certificate. */
  readonly clientCaPath: string | null;
}

export interface KedaSettings {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** `null`: in the clear. */
  readonly tls: KedaTls | null;
}

interface KedaVariables {
  readonly SLUICE_KEDA_PORT?: number | undefined;
  readonly SLUICE_KEDA_HOST: string;
  readonly SLUICE_KEDA_TLS_CERT?: string | undefined;
  readonly SLUICE_KEDA_TLS_KEY?: string | undefined;
  readonly SLUICE_KEDA_CLIENT_CA?: string | undefined;
}

/** Every variable as it stands; `requireSafeKeda` says whether they go together. `null`: there is no scaler. */
export function kedaSettings(env: KedaVariables): (KedaSettings & { readonly files: KedaFiles }) | null {
  const { SLUICE_KEDA_PORT: port, SLUICE_KEDA_HOST: host } = env;
  if (port === undefined) return null;
  const files = {
    cert: env.SLUICE_KEDA_TLS_CERT ?? null,
    key: env.SLUICE_KEDA_TLS_KEY ?? null,
    clientCa: env.SLUICE_KEDA_CLIENT_CA ?? null,
  };
  const { cert, key, clientCa } = files;
  const tls = cert === null || key === null ? null : { certPath: cert, keyPath: key, clientCaPath: clientCa };
  return { host, port, tls, files };
}

export interface KedaFiles {
  readonly cert: string | null;
  readonly key: string | null;
  readonly clientCa: string | null;
}

/** @throws {ConfigInvalidError} for half a pair of files, and for an address that others reach with nobody asked who they are. */
export function requireSafeKeda(
  { host, tls, files }: Pick<KedaSettings & { files: KedaFiles }, "host" | "tls" | "files">,
  auth: AuthMode,
): void {
  const problems: string[] = [];
  if ((files.cert === null) !== (files.key === null)) {
    problems.push("SLUICE_KEDA_TLS_CERT and SLUICE_KEDA_TLS_KEY: one needs the other; set both, or neither");
  }
  if (files.clientCa !== null && tls === null) {
    problems.push("SLUICE_KEDA_CLIENT_CA: needs SLUICE_KEDA_TLS_CERT and SLUICE_KEDA_TLS_KEY");
  }
  if (!isLoopback(host) && files.clientCa === null && auth === "off") {
    problems.push(
      "SLUICE_KEDA_HOST: is not a loopback address, and nobody is asked who they are: set SLUICE_KEDA_CLIENT_CA " +
        "with SLUICE_KEDA_TLS_CERT and SLUICE_KEDA_TLS_KEY, or SLUICE_AUTH=keys, or listen on 127.0.0.1",
    );
  }
  if (problems.length > 0) throw new ConfigInvalidError("The environment", problems);
}
