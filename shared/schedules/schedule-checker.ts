/**
 * Whether a schedule's jobs would be taken now: asked when the schedule is written, as the door asks of a job.
 *
 * A schedule that passes may be refused later all the same, when the gate has moved or the type has gone; then
 * its occurrences say so.
 */
import { compileStrictCheck, type StrictCheck } from "../contracts/strict-check.ts";
import { decideRequest } from "../enqueue/decide-request.ts";
import {
  DataInvalidError,
  EnvelopeInvalidError,
  TypeUnknownError,
  VersionNotActiveError,
  VersionUnknownError,
} from "../errors.ts";
import { decideLane } from "../registry/decide-lane.ts";
import type { RegistryDocument } from "../registry/registry-document.ts";
import type { ScheduleRequest } from "./schedule.ts";

export class ScheduleChecker {
  /** By `type@version`; published versions never change. */
  readonly #checks = new Map<string, StrictCheck>();

  /**
   * @throws {TypeUnknownError | VersionUnknownError | VersionNotActiveError} when no lane takes its jobs now.
   * @throws {DataInvalidError | EnvelopeInvalidError} when its data or its bounds are not what the type allows.
   */
  check(document: RegistryDocument, request: ScheduleRequest): void {
    const { type, schemaversion, data } = request;
    requireLane(document, request);
    const published = document.types[type];
    const key = `${type}@${schemaversion}`;
    let check = this.#checks.get(key);
    if (check === undefined) {
      const version = published?.versions.find((it) => it.version === schemaversion);
      check = compileStrictCheck(version?.schema ?? { not: {} }, "/data");
      this.#checks.set(key, check);
    }
    const wrongData = check(data);
    if (wrongData.length > 0) throw new DataInvalidError(type, schemaversion, wrongData);
    const { attempts, timeoutms } = request;
    const bounds = { attempts, timeoutms, dueMs: null, expiresMs: null };
    const { issues } = decideRequest(bounds, published?.policy ?? NO_POLICY, 0);
    if (issues.length > 0) throw new EnvelopeInvalidError(issues);
  }
}

const NO_POLICY = { attempts: 0, timeoutMs: 0 };

function requireLane(
  document: RegistryDocument,
  { type, schemaversion }: Pick<ScheduleRequest, "type" | "schemaversion">,
): void {
  const decision = decideLane(document, type, schemaversion);
  switch (decision.kind) {
    case "lane":
      return;
    case "unknown-type":
      throw new TypeUnknownError(type, decision.knownTypes);
    case "unknown-version":
      throw new VersionUnknownError(type, schemaversion, decision.acceptedVersions);
    case "not-active":
      throw new VersionNotActiveError(type, schemaversion, decision.activeVersion);
  }
}
