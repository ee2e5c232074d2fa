/** Gates: what every history of the registry must keep true of what is accepted and what is not. */
import { expect, test } from "vitest";
import { decideGate } from "#shared/registry/decide-gate";
import { acceptedVersions, decideLane, routeOf } from "#shared/registry/decide-lane";
import type { RegistryDocument } from "#shared/registry/registry-document";
import { versionStates } from "#shared/registry/version-state";
import { always, everyVersion } from "./random-registry.ts";
import { PUBLICATION } from "./registry-builder.ts";

/** The registry after a move that may always be made where a reader is. */
function forced(document: RegistryDocument, type: string, version: number): RegistryDocument {
  const decision = decideGate(
    document,
    { type, version, expected: null, force: true, sunset: null },
    { readiness: { readerSlots: 0, loadSlots: null }, change: { ...PUBLICATION, why: "x" } },
  );
  if (decision.kind === "refused") throw new Error(`${type} to ${version}: ${decision.reason}`);
  return decision.kind === "moved" ? decision.document : document;
}

test("a version above the gate is never accepted, and one that is accepted has a lane", () => {
  always(({ document }) => {
    for (const { type, version } of everyVersion()) {
      const gate = document.types[type]?.activeVersion ?? 0;
      const decision = decideLane(document, type, version);
      if (version > gate) expect(decision.kind).not.toBe("lane");
      expect(decision.kind === "lane").toBe(version <= gate && routeOf(document, type, version) !== null);
    }
  });
});

test("what is listed as accepted is exactly what is accepted", () => {
  always(({ document }) => {
    for (const type of Object.keys(document.types)) {
      const taken = everyVersion().filter((it) => it.type === type);
      expect(acceptedVersions(document, type)).toEqual(
        taken.map((it) => it.version).filter((it) => decideLane(document, type, it).kind === "lane"),
      );
    }
  });
});

test("a gate is at a published version, or at 0 while none is", () => {
  always(({ document }) => {
    for (const { activeVersion, versions } of Object.values(document.types)) {
      const published = versions.map((it) => it.version);
      expect(published.length === 0 ? [0] : published).toContain(activeVersion);
    }
  });
});

test("exactly the published versions below a gate are superseded, and each says since when", () => {
  always(({ document }) => {
    for (const [type, { activeVersion, versions, superseded }] of Object.entries(document.types)) {
      const below = versions.map((it) => it.version).filter((it) => it < activeVersion);
      expect(Object.keys(superseded).map(Number)).toEqual(below);
      for (const version of acceptedVersions(document, type)) {
        const decision = decideLane(document, type, version);
        expect(decision).toMatchObject({
          superseded: version === activeVersion ? null : { since: expect.any(String) },
        });
      }
    }
  });
});

test("only a move and an additive or first version change what is active", () => {
  always(({ document }, { document: before }, step) => {
    for (const [type, { activeVersion }] of Object.entries(before.types)) {
      const now = document.types[type]?.activeVersion ?? 0;
      if ("gate" in step || now === activeVersion) continue;
      expect("publish" in step && now > activeVersion).toBe(true);
      const readGroup = (version: number) => routeOf(document, type, version)?.minReaderVersion;
      if (activeVersion > 0) expect(readGroup(now)).toBe(readGroup(activeVersion));
    }
  });
});

test("a raise that was not forced had the slots for the load", () => {
  always(({ document }, { document: before }, step) => {
    if (!("gate" in step) || document === before || step.gate.force) return;
    const { type, version, readerSlots, loadSlots } = step.gate;
    if (version > (before.types[type]?.activeVersion ?? 0)) {
      expect(readerSlots).toBeGreaterThanOrEqual((loadSlots ?? Number.NaN) - 1e-9);
    }
  });
});

/** Lowers the gate and raises it again through every version that has a lane. */
function thereAndBack(document: RegistryDocument, type: string, version: number): RegistryDocument {
  const { activeVersion = 0, versions = [] } = document.types[type] ?? {};
  const lowered = forced(document, type, version);
  return versions
    .map((it) => it.version)
    .filter((it) => it > version && it <= activeVersion && routeOf(document, type, it) !== null)
    .reduce((back, step) => forced(back, type, step), lowered);
}

test("a lowered gate can be raised back step by step, and then the same is accepted as before", () => {
  always(({ document }) => {
    for (const [type, { activeVersion, versions }] of Object.entries(document.types)) {
      const accepted = acceptedVersions(document, type);
      for (const { version } of versions.filter((it) => it.version < activeVersion)) {
        const lowered = acceptedVersions(forced(document, type, version), type);
        expect(lowered).toEqual(accepted.filter((it) => it <= version));
        expect(acceptedVersions(thereAndBack(document, type, version), type)).toEqual(accepted);
      }
    }
  });
});

test("every version and draft has one state, in the order of their numbers", () => {
  always(({ document }) => {
    for (const [type, { versions, drafts }] of Object.entries(document.types)) {
      const known = [...versions, ...drafts].map((it) => it.version);
      const states = versionStates(document, type);
      expect(states.map((it) => it.version)).toEqual(known.toSorted((a, b) => a - b));
    }
  });
});

test("a version's state never contradicts the door", () => {
  always(({ document }) => {
    for (const { type, version } of everyVersion()) {
      const state = versionStates(document, type).find((it) => it.version === version)?.state;
      const { kind } = decideLane(document, type, version);
      if (kind === "lane") expect(state).toMatch(/^(active|superseded)$/);
      if (kind === "not-active") expect(state).toBe("published");
      if (state === "active") expect(version).toBe(document.types[type]?.activeVersion);
    }
  });
});

test("events are at most 50 a type, and those kept never change", () => {
  always(({ document }, { document: before }) => {
    for (const [type, { events }] of Object.entries(before.types)) {
      const now = document.types[type]?.events ?? [];
      expect(now.length).toBeLessThanOrEqual(50);
      expect(now.slice(0, events.length)).toEqual(events);
    }
  });
});

test("a second move that saw the gate where the first one found it is refused", () => {
  always(({ document }, { document: before }, step) => {
    if (!("gate" in step) || document === before) return;
    const { type } = step.gate;
    const seen = before.types[type]?.activeVersion ?? 0;
    const again = decideGate(
      document,
      { ...step.gate, expected: seen, force: true },
      { readiness: step.gate, change: { ...PUBLICATION, why: "x" } },
    );
    expect(again).toMatchObject({ kind: "refused", code: "gate-moved" });
  });
});
