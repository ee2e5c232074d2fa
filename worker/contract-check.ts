/**
 * Judges all contracts of an app against the documents of what is published.
 *
 * Runs where the user's code is loaded and needs no Redis. It loads the generator of documents, so it is
 * imported only when a check is asked for, never by a running worker.
 */
import { checkContract, removedType } from "#shared/contracts/check-contract";
import { type CheckReport, worstOf } from "#shared/contracts/check-report";
import type { CheckOptions } from "#shared/contracts/check-versions";
import type { ContractDocument } from "#shared/contracts/contract-document";
import { AppInvalidError } from "#shared/errors";
import { appProblems, contractsIn } from "./app.ts";

/**
 * @param app what the module exports as `app`.
 * @param against one document a type.
 * @throws {AppInvalidError} when it is no app; what is wrong with its contracts is in the report.
 */
export function checkApp(
  app: unknown,
  against: readonly ContractDocument[],
  options: CheckOptions = {},
): CheckReport {
  const problems = appProblems(app);
  if (problems.length > 0) throw new AppInvalidError("app", problems);
  const contracts = contractsIn(app);
  const documentOf = (type: string) => against.find((it) => it.type === type) ?? null;
  const types = [
    ...contracts.map((contract) => checkContract(contract, documentOf(contract.type), options)),
    ...against.filter(({ type }) => !contracts.some((it) => it.type === type)).map(removedType),
  ];
  return { verdict: worstOf(types.map((it) => it.verdict)), types };
}
