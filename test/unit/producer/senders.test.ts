/** Who counts as sending, and when a tenant is forgotten. */
import { describe, expect, test } from "vitest";
import { Senders } from "#producer/senders";

describe("the tenants that send", () => {
  test("are several as long as two have sent within the last ten looks", () => {
    const senders = new Senders();
    senders.of("a").took();
    expect(senders.areSeveral).toBe(false);
    senders.of("b").took();
    for (let look = 0; look < 10; look += 1) {
      senders.of("a").refused();
      senders.look();
      expect(senders.areSeveral).toBe(true);
    }
    senders.look();
    expect(senders.areSeveral).toBe(false);
  });

  test("are remembered as long as one of their requests is served", () => {
    const senders = new Senders();
    const sender = senders.of("a");
    sender.held += 1;
    for (let look = 0; look < 20; look += 1) senders.look();
    expect(senders.of("a")).toBe(sender);
    sender.held -= 1;
    for (let look = 0; look < 10; look += 1) senders.look();
    expect(senders.of("a")).not.toBe(sender);
  });

  test("are judged by what came since the look before, each by its own", () => {
    const senders = new Senders();
    for (let request = 0; request < 20; request += 1) senders.of("noisy").refused();
    senders.of("quiet").took();
    senders.look();
    expect([senders.of("noisy").isMostlyRefused, senders.of("quiet").isMostlyRefused]).toEqual([true, false]);
    senders.look();
    expect(senders.of("noisy").isMostlyRefused).toBe(false);
  });
});
