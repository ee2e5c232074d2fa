/**
 * Runs one command and gives its exit code; the process's own things come in as ports.
 *
 * The JSON form is decided by looking at the arguments before they are parsed, because a mistake in
 * them is answered in that form too.
 */
import { CommanderError } from "commander";
import type { Clock } from "#shared/clock";
import { type Answer, failureJson, failureText, jsonText, type Output } from "./answer.ts";
import { showApiKeyOf } from "./api-key.ts";
import { type CliFailure, failureOf } from "./cli-error.ts";
import type { CommandContext } from "./commands/context.ts";
import { readServers } from "./config.ts";
import type { StopSignals } from "./dev/stop-signals.ts";
import { CLI_EXIT } from "./exit-codes.ts";
import { buildProgram } from "./program.ts";
import type { GlobalOptions } from "./program-ports.ts";
import { painter, wantsColour } from "./terminal/colour.ts";
import type { LiveTerminal } from "./terminal/live-screen.ts";

export interface TerminalOutput extends Output {
  readonly isTTY?: boolean;
  /** Of a terminal, as it is now. */
  readonly columns?: number;
  readonly rows?: number;
}

export interface CliPorts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: TerminalOutput;
  readonly stderr: TerminalOutput;
  readonly clock: Clock;
  readonly version: string;
  /** The working directory. */
  readonly cwd: string;
  /** Program and arguments that start Sluice's own worker. */
  readonly workerCommand: readonly string[];
  /** The same of Sluice's own producer. */
  readonly producerCommand: readonly string[];
  /** The same of Sluice's own autoscaler. */
  readonly autoscalerCommand: readonly string[];
  readStdin(): Promise<string>;
  /** Takes the signals over that would end this process. */
  stopSignals(): StopSignals;
  /** Runs `sluice dev`; resolves with the exit code. */
  dev(options: { readonly json: boolean; readonly colour: boolean }): Promise<number>;
}

/** `args`: without the program and the script. */
export async function runCli(args: readonly string[], ports: CliPorts): Promise<number> {
  const run = new CommandRun(args, ports);
  return run.run();
}

class CommandRun {
  readonly #args: readonly string[];
  readonly #ports: CliPorts;
  readonly #json: boolean;
  readonly #colourRefused: boolean;
  #exitCode: number = CLI_EXIT.ok;
  /** What the parser has said: help and version on one side, complaints on the other. */
  #said = "";
  #complaint = "";

  constructor(args: readonly string[], ports: CliPorts) {
    const options = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
    this.#args = args;
    this.#ports = ports;
    this.#json = options.includes("--json");
    this.#colourRefused = options.includes("--no-color");
  }

  async run(): Promise<number> {
    const program = buildProgram({
      version: this.#ports.version,
      context: (options) => this.#context(options),
      answer: (answer) => this.#answer(answer),
      dev: async () => {
        this.#exitCode = await this.#ports.dev({
          json: this.#json,
          colour: this.#wantsColour(this.#ports.stdout),
        });
      },
    });
    for (const command of [program, ...program.commands, ...program.commands.flatMap((it) => it.commands)]) {
      command.exitOverride().configureOutput({
        writeOut: (text) => {
          this.#said += text;
        },
        writeErr: (text) => {
          this.#complaint += text;
        },
      });
    }
    try {
      showApiKeyOf(this.#ports.env);
      await program.parseAsync([...this.#args], { from: "user" });
    } catch (error) {
      if (error instanceof CommanderError) this.#parserEnded(error);
      else this.#fail(failureOf(error));
    }
    return this.#exitCode;
  }

  #context(options: GlobalOptions): CommandContext {
    const { clock, cwd, env, readStdin, stderr, stdout } = this.#ports;
    const { workerCommand, producerCommand, autoscalerCommand } = this.#ports;
    let signals: StopSignals | null = null;
    return {
      clock,
      cwd,
      env,
      readStdin,
      workerCommand,
      producerCommand,
      autoscalerCommand,
      paint: painter(this.#wantsColour(stdout)),
      live: this.#liveTerminal(),
      note: (line) => stderr.write(`${line}\n`),
      stopSignals: () => {
        signals ??= this.#ports.stopSignals();
        return signals;
      },
      servers: () => readServers(options, env),
      answer: (answer: Answer) => this.#answer(answer),
    };
  }

  #liveTerminal(): LiveTerminal | null {
    const { stdout, env } = this.#ports;
    if (this.#json || stdout.isTTY !== true || env.TERM === "dumb") return null;
    return {
      write: (text) => stdout.write(text),
      columns: () => stdout.columns ?? 80,
      rows: () => stdout.rows ?? 24,
    };
  }

  #answer({ kind, json, text, exitCode }: Answer): void {
    this.#ports.stdout.write(this.#json ? jsonText(kind, json) : text);
    this.#exitCode = exitCode;
  }

  #fail(failure: CliFailure): void {
    const { stdout, stderr } = this.#ports;
    if (this.#json) stdout.write(failureJson(failure));
    else stderr.write(failureText(failure, painter(this.#wantsColour(stderr))));
    this.#exitCode = failure.exitCode;
  }

  /** Help and version end the parsing by an error of the parser's own, as mistakes do. */
  #parserEnded(error: CommanderError): void {
    if (error.exitCode === 0) {
      const kind = error.code === "commander.version" ? "Version" : "Help";
      const json = kind === "Version" ? { version: this.#ports.version } : { text: this.#said };
      this.#answer({ kind, json, text: this.#said, exitCode: CLI_EXIT.ok });
      return;
    }
    // Without a command the parser complains with the whole help.
    const message =
      error.code === "commander.help"
        ? "A command is missing."
        : (this.#complaint || error.message).replace(/^error: /, "").trim();
    if (error.code === "commander.help" && !this.#json) this.#ports.stderr.write(this.#complaint);
    this.#fail({
      exitCode: CLI_EXIT.usage,
      code: "USAGE",
      message: message.endsWith(".") || message.endsWith(")") ? message : `${message}.`,
      hint: "`sluice --help` shows what there is.",
    });
  }

  #wantsColour({ isTTY }: TerminalOutput): boolean {
    return wantsColour({ env: this.#ports.env, isTty: isTTY === true, refused: this.#colourRefused });
  }
}
