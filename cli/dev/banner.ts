/** The block of addresses, and what to try next. */
import type { AuthMode } from "#shared/process-env";
import type { Ports } from "./choose-ports.ts";
import type { Screen } from "./screen.ts";

export interface Addresses {
  readonly apiUrl: string;
  readonly controlUrl: string;
  readonly redisUrl: string;
  /** What the jobs survive there, in a few words. */
  readonly durability: string;
  readonly auth: AuthMode;
  /** `null` with a Redis of somebody else's. */
  readonly dataDir: string | null;
}

const AUTHENTICATION: Readonly<Record<AuthMode, string>> = {
  keys: "API keys (`sluice keys create` makes one)",
  off: "off: everybody on this machine may do everything",
};

const TRY_BODY = {
  type: "receipt.render",
  schemaversion: 2,
  data: { orderId: "o-1001", email: "ana@example.com", total: { value: 1299, currency: "EUR" } },
};

export function showAddresses(addresses: Addresses, screen: Screen): void {
  const { apiUrl, controlUrl, redisUrl, durability, auth, dataDir } = addresses;
  screen.line();
  screen.heading("Everything runs (^C stops it)");
  screen.fact("Operator page", `${controlUrl}/`);
  screen.fact("API", `${apiUrl}/v1/jobs`);
  screen.fact("Job types", `${apiUrl}/v1/types`);
  screen.fact("Raw jobs", `${controlUrl}/raw/`);
  screen.fact("Metrics", `${apiUrl}/metrics   ${controlUrl}/metrics`);
  screen.fact("Redis", redisUrl);
  screen.fact("Durability", durability);
  screen.fact("Authentication", AUTHENTICATION[auth]);
  if (dataDir !== null) screen.fact("Data", dataDir);
}

/**
 * `exampleApp`: the releases are those of the package's example, so that its jobs can be tried.
 * `command`: what starts this very command in the present directory.
 */
export function showNextSteps(
  addresses: Addresses,
  { exampleApp, defaultPorts, command }: { exampleApp: boolean; defaultPorts: boolean; command: string },
  screen: Screen,
): void {
  const { apiUrl, controlUrl } = addresses;
  // The command looks at the default ports by itself.
  const where = defaultPorts ? "" : ` --url ${apiUrl} --control-url ${controlUrl}`;
  screen.line();
  screen.heading("Try next, in a second terminal");
  if (exampleApp) {
    screen.line(`  curl -X POST ${apiUrl}/v1/jobs -H 'content-type: application/json' \\`);
    screen.line(`       -d '${JSON.stringify(TRY_BODY)}'`);
  } else {
    screen.line(`  curl ${apiUrl}/v1/types`);
  }
  screen.line(`  ${command} status${where}`);
  screen.line();
}

/** Whether both are the ones that the command looks at when nothing else is said. */
export function areDefaultPorts({ api, control }: Ports): boolean {
  return api === 7700 && control === 7701;
}

/** An address to open: one that listens everywhere is reached here too. */
export function baseUrlOf(host: string, port: number): string {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}

/** A URL without the password in it. */
export function withoutPassword(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/]*@/, "$1***@");
}
