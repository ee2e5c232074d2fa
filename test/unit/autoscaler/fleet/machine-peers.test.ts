import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { bootId, startTicksOf } from "#autoscaler/fleet/machine";
import { MachinePeers } from "#autoscaler/fleet/machine-peers";

test("another autoscaler counts while its very process runs, and what it left behind is removed", () => {
  const directory = mkdtempSync(join(tmpdir(), "sluice-peers-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const peers = new MachinePeers(directory);
  peers.join();
  expect(peers.other()).toBeNull();
  const boot = bootId() || "-";
  // A process id that is another's by now, and one of before a reboot.
  for (const name of [`${process.ppid}_1_${boot}`, `${process.ppid}_1_earlier`])
    writeFileSync(join(directory, "autoscalers", name), "");
  expect(peers.other()).toBeNull();
  expect(readdirSync(join(directory, "autoscalers"))).toHaveLength(1);
  writeFileSync(
    join(directory, "autoscalers", `${process.ppid}_${startTicksOf(process.ppid) ?? ""}_${boot}`),
    "",
  );
  expect(peers.other()).toBe(process.ppid);
  peers.leave();
  expect(readdirSync(join(directory, "autoscalers"))).toHaveLength(1);
});
