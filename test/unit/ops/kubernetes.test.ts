/** The manifests of ops/kubernetes agree with what the processes read, and close what can be closed. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { autoscalerEnv } from "#autoscaler/config";
import { executorEnv } from "#autoscaler/executor-service/executor-config";
import { producerEnv } from "#producer/config";
import { publishEnv, workerEnv } from "#worker/config";

const ROOT = join(import.meta.dirname, "../../..");

/** The parser that the OpenAPI routes bring. */
const { parseAllDocuments } = createRequire(import.meta.resolve("@fastify/swagger"))("yaml");

// biome-ignore lint/suspicious/noExplicitAny: manifests are looked into by their fields.
type Manifest = any;

const manifests: readonly Manifest[] = ["sluice.yaml", "release.yaml"].flatMap((name) =>
  parseAllDocuments(readFileSync(join(ROOT, "ops/kubernetes", name), "utf8")).map((document: Manifest) => {
    expect(document.errors, name).toEqual([]);
    return document.toJS();
  }),
);

const pods = manifests
  .filter(({ kind }) => kind === "Deployment" || kind === "Job")
  .map(({ metadata, spec }) => ({ name: metadata.name, spec: spec.template.spec }));

const VARIABLES: Readonly<Record<string, object>> = {
  producer: producerEnv.in.shape,
  autoscaler: autoscalerEnv.in.shape,
  worker: workerEnv.in.shape,
  publish: publishEnv.in.shape,
  setup: { SLUICE_REDIS_URL_FILE: 0 },
  executor: executorEnv.in.shape,
};

describe.each(pods)("the pods of $name", ({ spec }) => {
  const [container] = spec.containers;

  test("have no privilege, no root, no writable root and no account of the cluster", () => {
    expect(spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(container.resources.limits.memory).toBeDefined();
  });

  test("set variables that their process reads", () => {
    const known = Object.keys(VARIABLES[container.args[0]] ?? {});
    const named = (container.env as { name: string }[]).map(({ name }) => name);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });

  test("mount what they name", () => {
    const volumes = (spec.volumes as { name: string }[]).map(({ name }) => name);
    expect((container.volumeMounts as { name: string }[]).map(({ name }) => name).toSorted()).toEqual(
      volumes.toSorted(),
    );
  });
});

test("a release's Deployment, publication and ScaledObject speak of one release and pool", () => {
  const find = (kind: string, name: string) =>
    manifests.find((it) => it.kind === kind && it.metadata.name === name);
  const scaled = find("ScaledObject", "shop-1");
  const deployment = find("Deployment", scaled.spec.scaleTargetRef.name);
  const [worker] = deployment.spec.template.spec.containers;
  const value = (name: string) => worker.env.find((it: { name: string }) => it.name === name)?.value;
  expect(scaled.spec.triggers[0].metadata).toMatchObject({
    pool: value("SLUICE_QUEUE"),
    release: value("SLUICE_RELEASE"),
  });
  const config = JSON.parse(find("ConfigMap", "sluice-config").data["sluice.config.json"]);
  expect(config.releases.map((it: { id: string }) => it.id)).toContain(value("SLUICE_RELEASE"));
  expect(String(config.pools[value("SLUICE_QUEUE")].slotsPerWorker)).toBe(value("SLUICE_SLOTS"));
  // The worker ends by itself, by the deadline and two seconds.
  const graceMs = deployment.spec.template.spec.terminationGracePeriodSeconds * 1_000;
  expect(graceMs).toBeGreaterThan(Number(value("SLUICE_DRAIN_DEADLINE_MS")) + 2_000);
});
