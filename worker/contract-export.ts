/**
 * Writes the contract documents of an app.
 *
 * It loads the generator of documents, so it is imported only when an export is asked for, never by a
 * running worker.
 */
import type { ContractDocument } from "#shared/contracts/contract-document";
import { exportDocument } from "#shared/contracts/export-document";
import { resolveContract } from "#shared/contracts/resolve-contract";
import { AppInvalidError } from "#shared/errors";
import { appProblems, contractsIn } from "./app.ts";

export interface AppExport {
  /** Those of the app's types, and those that were there of types that it does not have. */
  readonly documents: readonly ContractDocument[];
  /** Types whose document stays as it was, and why. */
  readonly refused: readonly { readonly type: string; readonly problems: readonly string[] }[];
}

/**
 * @param app what the module exports as `app`.
 * @throws {AppInvalidError} when it is no app; what is wrong with its contracts is in the answer.
 */
export function exportApp(app: unknown, existing: readonly ContractDocument[]): AppExport {
  const problems = appProblems(app);
  if (problems.length > 0) throw new AppInvalidError("app", problems);
  const documents = new Map(existing.map((it) => [it.type, it]));
  const refused: { readonly type: string; readonly problems: readonly string[] }[] = [];
  for (const contract of contractsIn(app)) {
    const { type } = contract;
    const resolution = resolveContract(contract);
    const result =
      resolution.kind === "resolved"
        ? exportDocument(resolution.contract, documents.get(type) ?? null)
        : ({ kind: "refused", problems: resolution.problems } as const);
    if (result.kind === "exported") documents.set(type, result.document);
    else refused.push({ type, problems: result.problems });
  }
  return { documents: [...documents.values()], refused };
}
