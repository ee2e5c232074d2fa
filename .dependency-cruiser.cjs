/** Which room may import which; the picture is docs/architecture.md. */
const rooms = ["producer", "worker", "autoscaler", "cli"];

module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    {
      name: "rooms-meet-only-in-shared",
      comment:
        "producer, worker, autoscaler and cli run as separate processes; what two of them need lives in shared/.",
      severity: "error",
      from: { path: `^(${rooms.join("|")})/` },
      to: { path: `^(${rooms.join("|")})/`, pathNot: "^$1/" },
    },
    {
      name: "shared-knows-no-room",
      comment: "shared/ is the floor the rooms stand on; it must build without any of them.",
      severity: "error",
      from: { path: "^shared/" },
      to: { path: `^(${rooms.join("|")}|test|bench|examples)/` },
    },
    {
      name: "decisions-are-pure",
      comment:
        "A decide-*.ts or estimate-*.ts file may import only its like, the pure folders and types: no IO, no clock.",
      severity: "error",
      from: { path: "/(decide|estimate)-[^/]+\\.ts$", pathNot: "^test/" },
      to: {
        pathNot: [
          "/(decide|estimate)-[^/]+\\.ts$",
          "^shared/(pure|contracts|registry)/",
          "^shared/(lane|run-counters)\\.ts$",
        ],
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "contracts-and-registry-are-pure",
      comment: "What schemas and the registry mean is worked out from data alone: no IO, no clock, no log.",
      severity: "error",
      from: { path: "^shared/(contracts|registry)/" },
      to: {
        pathNot: [
          "^shared/(contracts|registry|pure)/",
          "^shared/(errors|envelope|lane|json-pointer|json-walk)\\.ts$",
          "^util$",
          "^node_modules/(zod|ajv|ajv-formats|fast-check)/",
        ],
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "ioredis-and-bullmq-behind-one-door",
      comment: "Only shared/redis/ knows which queue engine and which Redis client we use.",
      severity: "error",
      from: { pathNot: "^(shared/redis/|test/|bench/)" },
      to: { path: "^node_modules/(ioredis|bullmq)/" },
    },
    {
      name: "apps-use-the-public-door",
      comment:
        "A sample app is a user's app: it imports the package's public exports, never a room's inside.",
      severity: "error",
      from: { path: "^(examples|test/support/apps)/" },
      to: { path: `^(${rooms.join("|")}|shared)/`, pathNot: "^worker/index\\.ts$" },
    },
    {
      name: "cross-rooms-by-hash",
      comment: "Within a room: ./relative. Into another room: #room/. So an import line shows a crossing.",
      severity: "error",
      // Apps of tests and benchmarks are users' apps too, see apps-use-the-public-door.
      from: {
        path: "^([^/]+)/",
        pathNot: "^(examples/|test/(support/apps|compose/app)/|bench/programs/app\\.mjs)",
      },
      to: {
        path: "^(producer|worker|autoscaler|shared|cli|test|examples)/",
        pathNot: "^$1/",
        dependencyTypesNot: ["aliased-subpath-import"],
      },
    },
    { name: "not-to-unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["source", "types", "import", "node", "default"],
      extensions: [".ts", ".js"],
    },
  },
};
