/** The `sluice job` commands: names, options and help. */
import type { Command } from "commander";
import type { ProgramPorts } from "../../program-ports.ts";
import { type CancelOptions, cancelJob } from "./cancel-job.ts";
import { getJob } from "./get-job.ts";
import { type ListOptions, listJobs } from "./list-jobs.ts";
import { watchJob } from "./watch-job.ts";

const ID_HELP = "id of the job, as `sluice enqueue` printed it";

export function addJob(program: Command, ports: ProgramPorts): void {
  const job = program.command("job").description("look after jobs");
  job
    .command("get")
    .description("show a job: state, times, attempts, result")
    .argument("<id>", ID_HELP)
    .action((id: string, _options, command: Command) => getJob(id, ports.context(command.optsWithGlobals())));
  job
    .command("list")
    .description("list own jobs, newest first; those that have not ended unless a state is named")
    .option("--state <state>", "jobs in this state only, e.g. running, failed, quarantined")
    .option("--type <type>", "jobs of this type only")
    .option("--limit <n>", "at most so many (default 20)")
    .action((options: ListOptions, command: Command) =>
      listJobs(options, ports.context(command.optsWithGlobals())),
    );
  job
    .command("cancel")
    .description("cancel a job: at once if it waits, within seconds if it runs")
    .argument("<id>", ID_HELP)
    .option("--why <text>", "why, for whoever looks at the job later")
    .action((id: string, options: CancelOptions, command: Command) =>
      cancelJob(id, options, ports.context(command.optsWithGlobals())),
    );
  job
    .command("watch")
    .description("follow a job until it has ended; exit 8 when it did not succeed")
    .argument("<id>", ID_HELP)
    .action((id: string, _options, command: Command) =>
      watchJob(id, ports.context(command.optsWithGlobals())),
    );
}
