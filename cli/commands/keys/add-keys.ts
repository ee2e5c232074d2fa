/** The `sluice keys` commands: names, options and help. */
import type { Command } from "commander";
import type { ProgramPorts } from "../../program-ports.ts";
import { type CreateOptions, createKey, revokeKey, rotateKey } from "./change-keys.ts";
import { listKeys } from "./show-keys.ts";

const KEY_ID_HELP = "id of the key, as `sluice keys list` shows it";

export function addKeys(program: Command, ports: ProgramPorts): void {
  const keys = program.command("keys").description("make and end API keys; needs Redis and no key");
  keys
    .command("create")
    .description("make a key and show it, this once")
    .requiredOption(
      "--name <name>",
      "what the key is called; jobs that name no source come from /keys/<name>",
    )
    .requiredOption("--tenant <tenant>", "whose jobs it hands in and sees")
    .requiredOption(
      "--scope <scopes>",
      "what it may do, with commas between: jobs:write,jobs:read,ops:read,ops:write,admin",
    )
    .option("--expires <duration>", "how long it lives, e.g. 24h, 90d; for ever when left out")
    .action((options: CreateOptions, command: Command) =>
      createKey(options, ports.context(command.optsWithGlobals())),
    );
  keys
    .command("list")
    .description("show the keys, without their secrets")
    .action((_options, command: Command) => listKeys(ports.context(command.optsWithGlobals())));
  keys
    .command("rotate")
    .description("give a key a new secret and show it, this once; the one before it stays valid for a while")
    .argument("<keyId>", KEY_ID_HELP)
    .option(
      "--overlap <duration>",
      "how long the secret before it stays valid, e.g. 30m, 7d; 0m ends it at once",
      "24h",
    )
    .action((keyId: string, options: { overlap: string }, command: Command) =>
      rotateKey(keyId, options, ports.context(command.optsWithGlobals())),
    );
  keys
    .command("revoke")
    .description("end a key for ever; servers follow within a second")
    .argument("<keyId>", KEY_ID_HELP)
    .action((keyId: string, _options, command: Command) =>
      revokeKey(keyId, ports.context(command.optsWithGlobals())),
    );
}
