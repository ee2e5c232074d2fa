/** What the control API answers about one rollout that is half way: boring complete values. */

export const rollout = {
  id: "mail-12",
  pool: "mail",
  from: "mail-1",
  to: "mail-2",
  revision: 7,
  state: "soaking",
  direction: "forward",
  since: "2026-01-31T12:00:00.000Z",
  createdAt: "2026-01-31T11:50:00.000Z",
  updatedAt: "2026-01-31T12:00:00.000Z",
  stage: { kind: "share", step: 2, phase: "soaking", extensions: 0 },
  paused: null,
  halt: null,
  bypass: null,
  back: null,
  more: 1,
};

export const evaluation = {
  gate: "failures",
  outcome: "pass",
  sample: 212,
  othersSample: 4_000,
  sentence: "it fails 0.4 % of 212",
  wouldChange: "failures above 1.5 %",
};

export const record = {
  at: "2026-01-31T12:00:52.000Z",
  rollout: "mail-12",
  revision: 7,
  from: "soaking",
  to: "soaking",
  code: "soaking",
  sentence: "68 s of the soak are left",
  wouldChange: "the end of the soak",
  by: "rollout",
  evaluations: [evaluation],
};

const steps = [
  { name: "probe", state: "done" },
  { name: "5 %", state: "done" },
  { name: "25 %", state: "open" },
  { name: "100 %", state: "ahead" },
];

export const view = {
  at: "2026-01-31T12:00:52.000Z",
  rollout,
  progress: { verdict: "going-on", isOver: false, steps, running: { what: "soak", leftMs: 68_000 } },
  share: 0.25,
  lastRecord: record,
  observation: {
    workersWanted: 8,
    from: { taking: 6, workers: 6, inFlight: 20, ran: { finished: 4_000, failed: 20, failedElsewhere: 0 } },
    to: {
      taking: 2,
      workers: 2,
      inFlight: 5,
      ran: { finished: 212, failed: 1, failedElsewhere: 0 },
      byWorker: [{ worker: "w-9", finished: 212, failed: 1 }],
    },
  },
};

/** The same rollout later on. */
export function viewAt(
  verdict: string,
  changes: { readonly rollout?: object; readonly sentence?: string; readonly isOver?: boolean } = {},
) {
  const { sentence = record.sentence, isOver = false } = changes;
  return {
    ...view,
    rollout: { ...rollout, ...changes.rollout },
    progress: { ...view.progress, verdict, isOver },
    lastRecord: { ...record, sentence },
  };
}

export function worker(changes: object = {}) {
  return {
    worker: "w-9",
    release: "mail-2",
    queue: "mail",
    state: "ok",
    reason: null,
    slots: 4,
    busy: 2,
    takes: "all",
    heartbeatAgeMs: 400,
    settled: { succeeded: 200, failed: 12 },
    ...changes,
  };
}

export const fleet = {
  workers: [
    worker(),
    worker({ worker: "w-1", release: "mail-1", state: "suspect", reason: "no heartbeat for 11 s" }),
    worker({ worker: "w-2", release: "mail-1", takes: "nothing" }),
    worker({ worker: "w-x", release: "mail-1", queue: "other" }),
  ],
};
