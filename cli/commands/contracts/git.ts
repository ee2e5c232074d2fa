/**
 * A few questions to git, without a shell: what a ref is, which files a directory has there, and what
 * they hold.
 *
 * A ref is somebody's text, on a pull request perhaps a stranger's: it is never an option, and after it is
 * resolved only the commit's own name is used. Nothing is fetched or written.
 */
import { type ExecFileException, execFile } from "node:child_process";
import { isAbsolute, relative, resolve } from "node:path";
import { CliError, usageError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import {
  DOCUMENTS_BYTES_MAX,
  type FoundFile,
  isDocumentName,
  requireFew,
  requireSmall,
} from "./contract-files.ts";

const GIT_MS_MAX = 30_000;

/** A directory's list; a thousand entries have some hundred kilobytes. */
const LIST_BYTES_MAX = 4 * 1024 * 1024;

export interface Repository {
  /** Where git runs; paths are relative to it. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The documents of a directory as a commit has them, in the order of their names.
 *
 * @throws {CliError} when git, the repository or the ref is missing.
 */
export async function readCommittedFiles(
  repository: Repository,
  ref: string,
  directory: string,
): Promise<readonly FoundFile[]> {
  const commit = await commitOf(repository, ref);
  const place = placeOf(repository, directory);
  const list = await git(repository, ["ls-tree", "-z", "-l", commit, "--", place], LIST_BYTES_MAX);
  if (!list.ok && /outside repository/.test(list.complaint)) {
    throw usageError(`The directory ${directory} is outside of the repository.`, "--contracts names it.");
  }
  if (!list.ok) throw gitFailed(`The directory ${directory} could not be listed`, list.complaint);
  const entries = list.output.split("\0").flatMap(documentEntryOf);
  const where = `${ref}:${directory}`;
  requireFew(entries.length, where);
  requireSmall(
    entries.reduce((sum, { bytes }) => sum + bytes, 0),
    where,
  );
  const files: FoundFile[] = [];
  for (const { name, blob } of entries) {
    const content = await git(repository, ["cat-file", "blob", blob], DOCUMENTS_BYTES_MAX);
    if (!content.ok) throw gitFailed(`The file ${where}/${name} could not be read`, content.complaint);
    files.push({ name, path: `${where}/${name}`, text: content.output });
  }
  return files;
}

/** The commit's own name. @throws {CliError} */
async function commitOf(repository: Repository, ref: string): Promise<string> {
  if (ref === "" || ref.startsWith("-")) throw usageError(`"${ref}" cannot be a git ref.`);
  const inside = await git(repository, ["rev-parse", "--is-inside-work-tree"], LIST_BYTES_MAX);
  if (!inside.ok) throw notARepository(repository, inside.complaint);
  const found = await resolveRef(repository, ref);
  if (found !== null) return found;
  throw new CliError({
    exitCode: CLI_EXIT.notFound,
    code: "REF_NOT_FOUND",
    message: `"${ref}" is neither a directory nor a git ref that this clone has.`,
    hint: await hintForRef(repository, ref),
  });
}

async function resolveRef(repository: Repository, ref: string): Promise<string | null> {
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`];
  const answer = await git(repository, args, LIST_BYTES_MAX);
  const commit = answer.ok ? answer.output.trim() : "";
  return /^[0-9a-f]{40,64}$/.test(commit) ? commit : null;
}

async function hintForRef(repository: Repository, ref: string): Promise<string> {
  if ((await resolveRef(repository, `origin/${ref}`)) !== null) return `origin/${ref} is there: use that.`;
  const shallow = await git(repository, ["rev-parse", "--is-shallow-repository"], LIST_BYTES_MAX);
  if (shallow.ok && shallow.output.trim() === "true") {
    return "This clone is shallow: check out with the whole history (`fetch-depth: 0`), or `git fetch` the ref first.";
  }
  return `\`git fetch origin\` may bring it; then it is origin/${ref}.`;
}

/** As git takes it: from where it runs, and always a directory. */
function placeOf({ cwd }: Repository, directory: string): string {
  const path = isAbsolute(directory) ? relative(cwd, directory) : relative(cwd, resolve(cwd, directory));
  return path === "" ? "./" : `${path.replaceAll("\\", "/")}/`;
}

interface DocumentEntry {
  readonly name: string;
  readonly blob: string;
  readonly bytes: number;
}

/** `<mode> blob <name> <size>\t<path>`; links, folders and submodules are no documents. */
function documentEntryOf(line: string): DocumentEntry[] {
  const match = /^100\d{3} blob ([0-9a-f]{40,64}) +(\d+)\t(.+)$/s.exec(line);
  const [, blob = "", bytes = "0", path = ""] = match ?? [];
  const name = path.split("/").at(-1) ?? "";
  return match !== null && isDocumentName(name) ? [{ name, blob, bytes: Number(bytes) }] : [];
}

type GitAnswer =
  | { readonly ok: true; readonly output: string }
  | { readonly ok: false; readonly complaint: string };

/** @throws {CliError} when git cannot be run, or says or takes too much. */
function git({ cwd, env }: Repository, args: readonly string[], bytesMax: number): Promise<GitAnswer> {
  const settings = {
    ...env,
    LC_ALL: "C",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_LITERAL_PATHSPECS: "1",
  };
  return new Promise((done, reject) => {
    const options = {
      cwd,
      env: settings,
      timeout: GIT_MS_MAX,
      maxBuffer: bytesMax,
      encoding: "utf8",
    } as const;
    execFile("git", [...args], options, (error, output, complaint) => {
      if (error === null) done({ ok: true, output });
      else if (typeof error.code === "number") done({ ok: false, complaint: complaint.trim() });
      else reject(notRun(String(args[0]), error));
    });
  });
}

/** It could not be started, was ended by a signal or our time limit, or said too much. */
function notRun(what: string, error: ExecFileException): CliError {
  if (error.code === "ENOENT") return gitMissing();
  return gitFailed(
    `git ${what} did not end well`,
    error.killed === true ? "it took too long" : error.message,
  );
}

function gitMissing(): CliError {
  return usageError(
    "git is not installed, or not on PATH.",
    "Install it, or give a directory with --against.",
  );
}

function notARepository({ cwd }: Repository, complaint: string): CliError {
  // Another reason, such as a directory that belongs to somebody else, is told in git's own words.
  const why = /not a git repository/.test(complaint) || complaint === "" ? "" : ` (${complaint})`;
  return usageError(
    `${cwd} is not in a git repository that can be read${why}.`,
    "Run it in the clone, or give a directory.",
  );
}

function gitFailed(what: string, why: string): CliError {
  return new CliError({ exitCode: CLI_EXIT.unexpected, code: "GIT_FAILED", message: `${what}: ${why}.` });
}
