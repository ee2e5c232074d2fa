/**
 * How the `sluice` command ends, for scripts. Stable; `sluice help exit-codes` prints this table.
 *
 * The server processes have codes of their own (#shared/exit-codes); `sluice dev` passes one on when a
 * process it starts cannot run.
 */
export const CLI_EXIT = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  notAuthorised: 5,
  unreachable: 6,
  timedOut: 7,
  unhealthy: 8,
  breaking: 10,
  rejected: 11,
  interrupted: 130,
} as const;

export type CliExit = (typeof CLI_EXIT)[keyof typeof CLI_EXIT];

export const EXIT_MEANINGS: readonly { readonly code: CliExit; readonly meaning: string }[] = [
  { code: CLI_EXIT.ok, meaning: "done" },
  { code: CLI_EXIT.unexpected, meaning: "something unexpected; a bug, or a server that fails" },
  { code: CLI_EXIT.usage, meaning: "the command, an option or a variable is wrong" },
  { code: CLI_EXIT.notFound, meaning: "no such job, type, lane, release, rollout, worker, command or file" },
  { code: CLI_EXIT.conflict, meaning: "refused: the input is not accepted, or something else is in the way" },
  { code: CLI_EXIT.notAuthorised, meaning: "not authorised" },
  { code: CLI_EXIT.unreachable, meaning: "the server is not reached, or says that it is unavailable" },
  { code: CLI_EXIT.timedOut, meaning: "timed out waiting; what was waited for may still happen" },
  {
    code: CLI_EXIT.unhealthy,
    meaning:
      "unhealthy: the job ended without success, jobs are late, or the rollout was halted or goes back",
  },
  {
    code: CLI_EXIT.breaking,
    meaning: "contracts: a change that older readers cannot read, and nothing said that it may be",
  },
  { code: CLI_EXIT.rejected, meaning: "contracts: a change that cannot be published" },
  { code: CLI_EXIT.interrupted, meaning: "interrupted by ^C" },
];

/** The exit code for an HTTP answer that is no success. */
export function exitCodeForStatus(status: number): CliExit {
  if (status === 404) return CLI_EXIT.notFound;
  if (status === 401 || status === 403) return CLI_EXIT.notAuthorised;
  // 502 and 504 are a proxy's words for a server that it does not reach.
  if (status >= 502 && status <= 504) return CLI_EXIT.unreachable;
  return status >= 400 && status < 500 ? CLI_EXIT.conflict : CLI_EXIT.unexpected;
}
