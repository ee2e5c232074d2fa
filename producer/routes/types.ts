/**
 * `GET /v1/types`: what can be enqueued, with the JSON Schema each version is checked against and where the
 * version is in its life.
 */
import type { FastifyInstance } from "fastify";
import { closed } from "#shared/contracts/strict-check";
import { laneName } from "#shared/lane";
import { acceptedVersions, routeOf } from "#shared/registry/decide-lane";
import type { RegistryDocument } from "#shared/registry/registry-document";
import { versionStates } from "#shared/registry/version-state";

export function addTypesRoute(server: FastifyInstance, registry: () => RegistryDocument): void {
  server.get("/v1/types", { config: { scope: "jobs:read" } }, async () => ({ types: listTypes(registry()) }));
}

function listTypes(document: RegistryDocument) {
  return Object.entries(document.types)
    .map(([type, { queue, policy, activeVersion, versions, drafts }]) => {
      const accepted = new Set(acceptedVersions(document, type));
      const known = new Map([...drafts, ...versions].map((it) => [it.version, it]));
      return {
        type,
        queue,
        policy,
        activeversion: activeVersion,
        versions: versionStates(document, type).map(({ version, ...life }) => {
          const it = known.get(version);
          return {
            schemaversion: version,
            minreaderversion: it !== undefined && "minReaderVersion" in it ? it.minReaderVersion : null,
            ...life,
            accepted: accepted.has(version),
            lane: laneOf(document, type, version),
            schema: closed(it?.schema ?? {}),
          };
        }),
      };
    })
    .sort((a, b) => (a.type < b.type ? -1 : 1));
}

function laneOf(document: RegistryDocument, type: string, version: number): string | null {
  const route = routeOf(document, type, version);
  return route === null ? null : laneName(route.queue, route.generation);
}
