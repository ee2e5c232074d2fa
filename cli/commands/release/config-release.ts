/**
 * A release's entry in the configuration file: put there, and taken out again when its build could not be published.
 *
 * The file is replaced as a whole by renaming, and only if nobody has changed it since it was read; the order of what
 * is in it stays. It is not checked here beyond what is needed: whoever runs with it does that.
 */
import { chmodSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { z } from "zod";
import { CliError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";

export interface NewRelease {
  readonly id: string;
  /** Absolute path of the module that exports `app`; inside the image where there is one. */
  readonly app: string;
  /** `null`: Sluice's own worker. */
  readonly command: readonly string[] | null;
  /** The container image that it is; `null`: it is on this machine. */
  readonly image: string | null;
}

const releaseEntry = z.looseObject({
  id: z.string(),
  app: z.string(),
  command: z.array(z.string()).optional(),
  image: z.string().optional(),
});

const configShape = z.looseObject({
  releases: z.array(releaseEntry),
  pools: z.record(z.string(), z.looseObject({ takeover: z.string().optional() })).default({}),
});

interface ReadConfig {
  /** The file itself, whatever links lead to it. */
  readonly path: string;
  readonly text: string;
  readonly value: z.output<typeof configShape>;
}

export interface Entered {
  /** `there`: it was in the file already, with the same app and command. */
  readonly kind: "added" | "there";
  /** Pools that a newer release has at once when it is published. */
  readonly atOncePools: readonly string[];
  /** Takes it out again, if the file is still as this left it. */
  undo(): void;
}

/** @throws {CliError} when the id is another release's, or the file cannot be read or written. */
export function enterRelease(configPath: string, release: NewRelease): Entered {
  const before = readConfig(configPath);
  const { value, text, path } = before;
  const atOncePools = Object.keys(value.pools).filter((pool) => value.pools[pool]?.takeover !== "rollout");
  const known = value.releases.find(({ id }) => id === release.id);
  if (known !== undefined) {
    if (!isSame(known, release, path)) throw idTaken(release.id, path);
    return { kind: "there", atOncePools, undo: () => undefined };
  }
  const { id, image, command } = release;
  const app =
    image === null ? `./${relative(dirname(path), release.app)}`.replace(/^\.\/(\.\.\/)/, "$1") : release.app;
  const entry = { id, app, ...(command === null ? {} : { command }), ...(image === null ? {} : { image }) };
  // What the parser gave back has its defaults; the file keeps what it had.
  const document = JSON.parse(text) as { releases: unknown[] };
  document.releases.push(entry);
  const after = `${JSON.stringify(document, null, indentOf(text))}\n`;
  replaceFile(before, after);
  return {
    kind: "added",
    atOncePools,
    undo: () => {
      if (readFileSync(path, "utf8") === after) replaceFile({ path, text: after }, text);
    },
  };
}

function readConfig(configPath: string): ReadConfig {
  try {
    const path = realpathSync(configPath);
    const text = readFileSync(path, "utf8");
    return { path, text, value: configShape.parse(JSON.parse(text)) };
  } catch (error) {
    const isShape = error instanceof z.ZodError;
    const why = isShape
      ? "it has no list of releases"
      : error instanceof Error
        ? error.message
        : String(error);
    throw new CliError({
      exitCode: CLI_EXIT.usage,
      code: "CONFIG_UNREADABLE",
      message: `The configuration ${configPath} cannot be used: ${why}.`,
      hint: "Is it the file that SLUICE_CONFIG names where the autoscaler runs?",
    });
  }
}

/** @throws {CliError} when somebody has changed it meanwhile. */
function replaceFile({ path, text }: Pick<ReadConfig, "path" | "text">, after: string): void {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, after, { flag: "wx" });
    chmodSync(draft, statSync(path).mode & 0o777);
    if (readFileSync(path, "utf8") !== text) throw changedMeanwhile(path);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    if (error instanceof CliError) throw error;
    throw new CliError({
      exitCode: CLI_EXIT.unexpected,
      code: "CONFIG_NOT_WRITTEN",
      message: `The configuration ${path} could not be written: ${error instanceof Error ? error.message : String(error)}.`,
      hint: "It is as it was.",
    });
  }
}

function isSame(known: z.output<typeof releaseEntry>, release: NewRelease, path: string): boolean {
  const { app, command, image } = release;
  const sameApp = resolve(dirname(path), known.app) === app && (known.image ?? null) === image;
  return sameApp && JSON.stringify(known.command ?? null) === JSON.stringify(command);
}

/** As the file has it; two spaces where it does not show. */
function indentOf(text: string): string {
  return /^([ \t]+)"/m.exec(text)?.[1] ?? "  ";
}

function idTaken(id: string, path: string): CliError {
  return new CliError({
    exitCode: CLI_EXIT.conflict,
    code: "RELEASE_ID_TAKEN",
    message: `${path} has a release ${id} already, with another app, command or image.`,
    hint: "A build that differs is another release: give it an id of its own.",
  });
}

function changedMeanwhile(path: string): CliError {
  return new CliError({
    exitCode: CLI_EXIT.conflict,
    code: "CONFIG_CHANGED",
    message: `${path} was changed meanwhile.`,
    hint: "It is as the other left it; run the command again.",
  });
}
