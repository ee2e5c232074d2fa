/** `GET /v1/types`: what can be enqueued, with the JSON Schema each version is checked against. */
import type { FastifyInstance } from "fastify";
import { closed } from "#shared/contracts/strict-check";
import { laneName } from "#shared/lane";
import { acceptedVersions, decideLane } from "#shared/registry/decide-lane";
import type { RegistryDocument } from "#shared/registry/registry-document";

export function addTypesRoute(server: FastifyInstance, registry: () => RegistryDocument): void {
  server.get("/v1/types", async () => ({ types: listTypes(registry()) }));
}

function listTypes(document: RegistryDocument) {
  return Object.entries(document.types)
    .map(([type, { queue, policy, versions }]) => {
      const accepted = new Set(acceptedVersions(document, type));
      return {
        type,
        queue,
        policy,
        versions: versions.map(({ version, minReaderVersion, schema }) => ({
          schemaversion: version,
          minreaderversion: minReaderVersion,
          accepted: accepted.has(version),
          lane: laneOf(document, type, version),
          schema: closed(schema),
        })),
      };
    })
    .sort((a, b) => (a.type < b.type ? -1 : 1));
}

function laneOf(document: RegistryDocument, type: string, version: number): string | null {
  const decision = decideLane(document, type, version);
  return decision.kind === "lane" ? laneName(decision.queue, decision.generation) : null;
}
