import { describe, expect, test } from "vitest";
import { CliError, failureOf, usageError } from "#cli/cli-error";
import { CLI_EXIT, EXIT_MEANINGS, exitCodeForStatus } from "#cli/exit-codes";
import { ConfigInvalidError } from "#shared/errors";

describe("the exit code of an HTTP answer", () => {
  test.for([
    [404, CLI_EXIT.notFound],
    [401, CLI_EXIT.notAuthorised],
    [403, CLI_EXIT.notAuthorised],
    [400, CLI_EXIT.conflict],
    [409, CLI_EXIT.conflict],
    [421, CLI_EXIT.conflict],
    [422, CLI_EXIT.conflict],
    [429, CLI_EXIT.conflict],
    [502, CLI_EXIT.unreachable],
    [503, CLI_EXIT.unreachable],
    [504, CLI_EXIT.unreachable],
    [500, CLI_EXIT.unexpected],
    [302, CLI_EXIT.unexpected],
  ] as const)("%d is %d", ([status, exitCode]) => {
    expect(exitCodeForStatus(status)).toBe(exitCode);
  });
});

describe("the exit code of an error", () => {
  test("is its own when the command can explain it", () => {
    expect(failureOf(usageError("no")).exitCode).toBe(2);
    expect(failureOf(new CliError({ exitCode: 77, code: "X", message: "no" })).exitCode).toBe(77);
  });

  test("is that of a wrong usage when the environment is invalid", () => {
    expect(failureOf(new ConfigInvalidError("The environment", ["X: is wrong"])).exitCode).toBe(2);
  });

  test("is 1 for whatever else is thrown", () => {
    expect(failureOf(new TypeError("bug")).exitCode).toBe(1);
    expect(failureOf("text").exitCode).toBe(1);
  });
});

test("every exit code has a meaning in the table, in rising order", () => {
  expect(EXIT_MEANINGS.map((it) => it.code)).toEqual(Object.values(CLI_EXIT));
});
