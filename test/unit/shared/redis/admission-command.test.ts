import { createHash } from "node:crypto";
import fc from "fast-check";
import { Command } from "ioredis";
import { describe, expect, test } from "vitest";
import { bytesOf } from "#shared/redis/admission-command";
import { ADMIT_JOBS } from "#shared/redis/admission-script";

const sha1 = createHash("sha1").update(ADMIT_JOBS).digest("hex");

const ascii = fc.string({ unit: "binary-ascii", maxLength: 20 });
const anyText = fc.string({ unit: "binary", maxLength: 40 });
const anyJob = fc.tuple(ascii, ascii, ascii, ascii, ascii, ascii, ascii, ascii, anyText);

describe("a call of the admission script", () => {
  test("has the bytes that the client itself would send", () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 12 }), fc.array(anyJob, { maxLength: 5 }), (head, jobs) => {
        const args = [...head, ...jobs.flat()];
        const theirs = new Command("evalsha", [sha1, "0", ...args]).toWritable({});
        expect(bytesOf(args, jobs.length)).toEqual(Buffer.from(theirs));
      }),
    );
  });

  test("is not written when what names a job is no ASCII", () => {
    const job = ["1", "shop~ä", "1", "0", "", "", "-", "", "{}"];
    expect(() => bytesOf(["p", ...job], 1)).toThrow("what names a job must be ASCII");
  });
});
