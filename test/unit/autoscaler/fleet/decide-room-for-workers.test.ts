import { describe, expect, test } from "vitest";
import { decideRoomForWorkers } from "#autoscaler/fleet/decide-room-for-workers";

const MIB = 1_048_576;

describe("decideRoomForWorkers", () => {
  test("counts workers of the pool's mean size and a quarter more, and leaves a tenth alone", () => {
    // (1,100 - 100) / (80 * 1.25) = 10.
    const facts = { freeBytes: 1_100 * MIB, totalBytes: 1_000 * MIB, workerBytes: [60 * MIB, 100 * MIB] };
    expect(decideRoomForWorkers({ ...facts, starting: 0 })).toBe(10);
    expect(decideRoomForWorkers({ ...facts, starting: 3 })).toBe(7);
  });

  test("leaves half a gigabyte alone on a large machine", () => {
    // (1,512 - 512) / (80 * 1.25) = 10.
    const facts = { freeBytes: 1_512 * MIB, totalBytes: 64_000 * MIB, workerBytes: [80 * MIB], starting: 0 };
    expect(decideRoomForWorkers(facts)).toBe(10);
  });

  test("is zero and never less when memory is short", () => {
    const facts = { freeBytes: 50 * MIB, totalBytes: 1_000 * MIB, workerBytes: [80 * MIB], starting: 2 };
    expect(decideRoomForWorkers(facts)).toBe(0);
  });

  test("is not known while no worker of the pool is up", () => {
    expect(decideRoomForWorkers({ freeBytes: 1, totalBytes: 1, workerBytes: [], starting: 0 })).toBeNull();
  });
});
