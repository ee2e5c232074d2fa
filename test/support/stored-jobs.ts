/** Jobs as Redis holds them, and a registry that knows where they can be. */
import { jobIdOf } from "#shared/job-id";
import { EMPTY_REGISTRY, type RegistryDocument } from "#shared/registry/registry-document";

/** A job id that is always the same for a queue and a name. */
export function idOf(queue: string, name: string): string {
  return jobIdOf({ queue, tenant: "default", source: "/test", id: name });
}

/** An envelope as a producer stamps it, as JSON text. */
export function stored(
  data: unknown,
  { tenant = "default", type = "receipt.render" }: { tenant?: string; type?: string } = {},
): string {
  return JSON.stringify({
    type,
    schemaversion: 1,
    data,
    specversion: "1.0",
    id: "order-1",
    source: "/test",
    minreaderversion: 1,
    time: "2026-01-31T12:00:00.000Z",
    tenant,
  });
}

/** Queues of one type each, `<queue>.render`, with so many generations. */
export function registryOf(queue: string, generations: number): RegistryDocument {
  const one = {
    queue,
    generations: Array.from({ length: generations }, (_, index) => ({ generation: index + 1 })),
  };
  return { ...EMPTY_REGISTRY, revision: 1, queues: { [queue]: one } } as unknown as RegistryDocument;
}
