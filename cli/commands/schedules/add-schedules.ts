/** The `sluice schedules` commands: names, options and help. */
import type { Command } from "commander";
import type { ProgramPorts } from "../../program-ports.ts";
import {
  actOnSchedule,
  deleteSchedule,
  getSchedule,
  listSchedules,
  type PutOptions,
  putSchedule,
} from "./schedules.ts";

const NAME_HELP = "name of the schedule, e.g. nightly-report";

export function addSchedules(program: Command, ports: ProgramPorts): void {
  const schedules = program
    .command("schedules")
    .description("look after schedules: jobs that are enqueued again and again");
  schedules
    .command("list")
    .description("show the schedules: when they come, how far they are, and what was missed")
    .action((_options, command: Command) => listSchedules(ports.context(command.optsWithGlobals())));
  addOne(schedules, ports, {
    name: "get",
    description: "show one schedule, its next occurrences, and what is in its way",
    act: getSchedule,
  });
  addPut(schedules, ports);
  addOne(schedules, ports, {
    name: "delete",
    description: "remove a schedule; jobs that it enqueued stay",
    act: deleteSchedule,
  });
  addOne(schedules, ports, {
    name: "pause",
    description: "let no more occurrences come",
    act: (name, context) => actOnSchedule("pause", name, context),
  });
  addOne(schedules, ports, {
    name: "resume",
    description: "let occurrences come again from now on; those of the pause are not made up for",
    act: (name, context) => actOnSchedule("resume", name, context),
  });
}

interface OneAct {
  readonly name: string;
  readonly description: string;
  readonly act: typeof getSchedule;
}

function addOne(schedules: Command, ports: ProgramPorts, { name, description, act }: OneAct): void {
  schedules
    .command(name)
    .description(description)
    .argument("<name>", NAME_HELP)
    .action((schedule: string, _options, command: Command) =>
      act(schedule, ports.context(command.optsWithGlobals())),
    );
}

function addPut(schedules: Command, ports: ProgramPorts): void {
  schedules
    .command("put")
    .description("make a schedule, or replace the one of that name")
    .argument("<name>", NAME_HELP)
    .requiredOption("--type <type>", "job type, e.g. receipt.render")
    .requiredOption("--schemaversion <n>", "version of the data's schema; it stays until you change it")
    .requiredOption("--data <data>", "the jobs' data: JSON, @file, or - for standard input")
    .option("--every <duration>", "a job each time so long has passed, e.g. 30s, 15m, 6h")
    .option("--anchor <time>", "with --every: a moment that is an occurrence, e.g. 2026-01-31T12:00:00Z")
    .option("--cron <expression>", 'five fields, or six with seconds first, e.g. "0 9 * * 1-5"')
    .option("--time-zone <zone>", "with --cron: whose clock is meant, e.g. Europe/Berlin (default UTC)")
    .option("--missed <policy>", "what becomes of late occurrences: skip, last or all (default last)")
    .option("--grace <duration>", "how late an occurrence may be found, e.g. 10m (default 1m)")
    .option("--priority <name>", "critical, high, normal or low")
    .option("--start <time>", "no occurrence before it")
    .option("--end <time>", "no occurrence after it")
    .option("--revision <n>", "replace this revision and no other (exit 4)")
    .action((name: string, options: PutOptions, command: Command) =>
      putSchedule(name, options, ports.context(command.optsWithGlobals())),
    )
    .addHelpText("after", PUT_EXAMPLES);
}

const PUT_EXAMPLES = `
Examples:
  $ sluice schedules put nightly-report --type report.build --schemaversion 1 --data '{"kind":"daily"}' \\
      --cron "30 2 * * *" --time-zone Europe/Berlin
  $ sluice schedules put poll --type feed.poll --schemaversion 1 --data @poll.json --every 30s --missed skip
`;
