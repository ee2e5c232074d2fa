import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inUsDollars, receiptContract, receiptContractV1 } from "#examples/shop/receipts/receipt-contract";
import type { Contract } from "#shared/contracts/contract";
import { readData } from "#shared/contracts/reader";
import { resolved } from "#shared/contracts/resolve-contract";
import { DataInvalidError } from "#shared/errors";

const dataV1 = fc.record({
  orderId: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/),
  email: fc.constantFrom("ada@example.com", "grace.hopper+shop@mail.example.org"),
  amount: fc.integer({ min: 0, max: 100_000_000 }),
});

const aReceipt = { orderId: "A-1001", email: "ada@example.com", amount: 1_999 };

function readV1(data: unknown, contract: Contract = receiptContract) {
  return readData(resolved(contract), { schemaVersion: 1, minReaderVersion: 1, data });
}

describe("the upcaster of receipt.render", () => {
  it("gives a total of the same number of cents in US dollars, and no amount", () => {
    expect(inUsDollars(aReceipt)).toEqual({
      orderId: "A-1001",
      email: "ada@example.com",
      total: { value: 1_999, currency: "USD" },
    });
  });

  it("is pure: it gives the same twice and leaves its input as it was", () => {
    fc.assert(
      fc.property(dataV1, (data) => {
        const frozen = Object.freeze({ ...data });
        expect(inUsDollars(frozen)).toEqual(inUsDollars(frozen));
        expect(frozen).toEqual(data);
      }),
    );
  });
});

describe("the versions of receipt.render", () => {
  it("are a read group each, because no reader of the first knows a total", () => {
    expect(resolved(receiptContract).versions.map((version) => version.minReaderVersion)).toEqual([1, 2]);
    expect(resolved(receiptContractV1).versions.map((version) => version.minReaderVersion)).toEqual([1]);
  });
});

describe("the reader of receipt.render", () => {
  it("reads all valid data of version 1 as version 2", () => {
    fc.assert(
      fc.property(dataV1, ({ amount, ...rest }) => {
        const read = readV1({ ...rest, amount });
        expect(read).toEqual({ data: { ...rest, total: { value: amount, currency: "USD" } }, upcasts: [2] });
      }),
    );
  });

  it("keeps fields it does not know", () => {
    expect(readV1({ ...aReceipt, note: "gift" }).data).toMatchObject({ note: "gift", orderId: "A-1001" });
  });

  it("reads version 2 directly", () => {
    const data = { orderId: "A-1", email: "ada@example.com", total: { value: 500, currency: "JPY" } };
    const read = readData(resolved(receiptContract), { schemaVersion: 2, minReaderVersion: 2, data });
    expect(read).toEqual({ data, upcasts: [] });
  });

  it("of the first release reads version 1 as it is", () => {
    expect(readV1(aReceipt, receiptContractV1)).toEqual({ data: aReceipt, upcasts: [] });
  });

  it.each([
    ["an order id with a path in it", { ...aReceipt, orderId: "../../etc/passwd" }],
    ["an order id with a line break", { ...aReceipt, orderId: "A-1\n" }],
    ["an empty order id", { ...aReceipt, orderId: "" }],
    ["an order id of 65 characters", { ...aReceipt, orderId: "A".repeat(65) }],
    ["something that is no address", { ...aReceipt, email: "ada" }],
    ["an address with a line break", { ...aReceipt, email: "ada@example.com\nTOTAL 0" }],
    ["a fraction of a cent", { ...aReceipt, amount: 0.5 }],
    ["a negative amount", { ...aReceipt, amount: -1 }],
    ["an amount over a million dollars", { ...aReceipt, amount: 100_000_001 }],
  ])("refuses %s", (_what, data) => {
    expect(() => readV1(data)).toThrow(DataInvalidError);
  });

  it.each(["usd", "US", "EURO", ""])("refuses the currency %j", (currency) => {
    const data = { orderId: "A-1", email: "ada@example.com", total: { value: 1, currency } };
    expect(() =>
      readData(resolved(receiptContract), { schemaVersion: 2, minReaderVersion: 2, data }),
    ).toThrow(DataInvalidError);
  });
});
