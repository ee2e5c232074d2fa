/**
 * The ports to listen on: a default one that is taken gives way to the next free one, one that somebody
 * chose does not.
 */
import { CliError, usageError } from "../cli-error.ts";
import { CLI_EXIT } from "../exit-codes.ts";

export interface WantedPort {
  readonly port: number;
  /** Somebody asked for exactly this one. */
  readonly chosen: boolean;
}

export interface Ports {
  readonly api: number;
  readonly control: number;
}

/** Ports tried from a default one on. */
const TRIES_MAX = 50;

/** @throws {CliError} when a chosen port is taken, both are the same, or none is free. */
export async function choosePorts(
  wanted: { readonly api: WantedPort; readonly control: WantedPort },
  isFree: (port: number) => Promise<boolean>,
): Promise<Ports> {
  const { api, control } = wanted;
  if (api.port === control.port) {
    throw usageError(`SLUICE_API_PORT and SLUICE_CONTROL_PORT are both ${api.port}; they must differ.`);
  }
  const apiPort = await choosePort(api, "SLUICE_API_PORT", {
    isFree: async (port) => port !== control.port && (await isFree(port)),
  });
  const controlPort = await choosePort(control, "SLUICE_CONTROL_PORT", {
    isFree: async (port) => port !== apiPort && (await isFree(port)),
  });
  return { api: apiPort, control: controlPort };
}

async function choosePort(
  { port, chosen }: WantedPort,
  variable: string,
  { isFree }: { isFree: (port: number) => Promise<boolean> },
): Promise<number> {
  if (await isFree(port)) return port;
  if (chosen) {
    throw new CliError({
      exitCode: CLI_EXIT.usage,
      code: "PORT_TAKEN",
      message: `Port ${port} is taken by another program.`,
      hint: `Stop that program, set ${variable} to another port, or leave it out to have a free one chosen.`,
    });
  }
  for (let next = port + 1; next <= Math.min(65_535, port + TRIES_MAX); next += 1) {
    if (await isFree(next)) return next;
  }
  throw new CliError({
    exitCode: CLI_EXIT.conflict,
    code: "PORT_TAKEN",
    message: `No port from ${port} to ${port + TRIES_MAX} is free.`,
    hint: `Set ${variable}.`,
  });
}
