/** docs/reference/configuration.md: the variables of each process, as their zod schemas have them. */
import type { z } from "zod";
import { autoscalerEnv } from "#autoscaler/config";
import { executorEnv } from "#autoscaler/executor-service/executor-config";
import { devEnv } from "#cli/dev/config";
import { producerEnv } from "#producer/config";
import { listenVariables, processVariables } from "#shared/process-env";
import { migrateEnv, publishEnv, workerEnv } from "#worker/config";
import { code, table } from "./rendered-blocks.ts";

type Variables = Readonly<Record<string, z.ZodType>>;

/** A value that no rule allows, to be told the rule. */
const AGAINST_EVERY_RULE = "\u0000";

export function renderConfiguration(): Readonly<Record<string, string>> {
  const common = { ...processVariables, ...listenVariables };
  return {
    "every-process": variableTable(processVariables),
    "listening-processes": variableTable(listenVariables),
    producer: variableTable(without(producerEnv.in.shape, common)),
    worker: variableTable(without(workerEnv.in.shape, common)),
    publish: variableTable(without(publishEnv.in.shape, { ...common, ...workerEnv.in.shape })),
    migrate: variableTable(without(migrateEnv.in.shape, { ...common, ...workerEnv.in.shape })),
    autoscaler: variableTable(without(autoscalerEnv.in.shape, common)),
    executor: variableTable(without(executorEnv.in.shape, processVariables)),
    dev: variableTable(devEnv.in.shape),
  };
}

function without(variables: Variables, known: Variables): Variables {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !(name in known)));
}

function variableTable(variables: Variables): string {
  const rows = Object.entries(variables).map(([name, schema]) => [
    code(name),
    defaultOf(schema),
    ruleOf(schema),
    descriptionOf(schema),
  ]);
  return table(["Variable", "Default", "Value", "What it does"], rows);
}

function defaultOf(schema: z.ZodType): string {
  const missing = schema.safeParse(undefined);
  if (!missing.success) return "required";
  return missing.data === undefined ? "–" : code(String(missing.data));
}

function ruleOf(schema: z.ZodType): string {
  const against = schema.safeParse(AGAINST_EVERY_RULE);
  if (against.success) return "text";
  const [issue] = against.error.issues;
  if (issue?.code === "invalid_value" && issue.values.includes("true")) return "`true` or `false`";
  return (issue?.message ?? "").replace(/^must (be )?/, "");
}

/** A required variable says what it is for where it is missing. */
function descriptionOf(schema: z.ZodType): string {
  if (schema.description !== undefined) return schema.description;
  const told = schema.safeParse(undefined).error?.issues[0]?.message ?? "";
  const sentence = told.replace(/^is required: /, "");
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`;
}
