import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FailureBrake, placeOf } from "#shared/http/failure-brake";
import { FakeClock } from "#test/support/fake-clock";

const HOME = "203.0.113.7";

function failing(brake: FailureBrake, times: number, address = HOME): void {
  for (let n = 0; n < times; n += 1) brake.failed(address);
}

describe("the brake", () => {
  test("hears twenty failures a minute, and not the next one until the minute is over", async () => {
    const clock = new FakeClock();
    const brake = new FailureBrake(clock);
    failing(brake, 19);
    expect(brake.secondsLeft(HOME)).toBeNull();
    brake.failed(HOME);
    expect(brake.secondsLeft(HOME)).toBe(60);
    await clock.advance(59_500);
    expect(brake.secondsLeft(HOME)).toBe(1);
    await clock.advance(500);
    expect(brake.secondsLeft(HOME)).toBeNull();
  });

  test("begins to count anew after the window", async () => {
    const clock = new FakeClock();
    const brake = new FailureBrake(clock);
    failing(brake, 20);
    await clock.advance(60_000);
    failing(brake, 19);
    expect(brake.secondsLeft(HOME)).toBeNull();
    expect(brake.size).toBe(1);
  });

  test("holds one address and not its neighbour", () => {
    const brake = new FailureBrake(new FakeClock());
    failing(brake, 20);
    expect(brake.secondsLeft("203.0.113.8")).toBeNull();
  });

  test("does not grow beyond ten thousand addresses, and forgets the first that failed", () => {
    const brake = new FailureBrake(new FakeClock());
    failing(brake, 20);
    for (let n = 0; n < 10_000; n += 1) brake.failed(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);
    expect(brake.size).toBe(10_000);
    expect(brake.secondsLeft(HOME)).toBeNull();
  });
});

describe("placeOf", () => {
  test.each([
    ["203.0.113.7", "203.0.113.7"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"],
    ["2001:0DB8:1:2::9", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ])("of %s is %s", (address, place) => {
    expect(placeOf(address)).toBe(place);
  });

  test("is the same for all addresses of one IPv6 network", () => {
    const group = fc.nat(0xffff).map((it) => it.toString(16));
    const hosts = fc.tuple(group, group, group, group);
    fc.assert(
      fc.property(hosts, hosts, hosts, (net, one, other) => {
        const place = (host: readonly string[]) => placeOf([...net, ...host].join(":"));
        expect(place(one)).toBe(place(other));
      }),
    );
  });
});
