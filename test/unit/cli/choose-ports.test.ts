import { describe, expect, test } from "vitest";
import { choosePorts } from "#cli/dev/choose-ports";

const wanted = { api: { port: 7700, chosen: false }, control: { port: 7701, chosen: false } };
const chosen = { api: { port: 7700, chosen: true }, control: { port: 7701, chosen: true } };
const freeBut =
  (...taken: number[]) =>
  async (port: number) =>
    !taken.includes(port);

describe("the ports", () => {
  test("are the wanted ones when they are free", async () => {
    expect(await choosePorts(wanted, freeBut())).toEqual({ api: 7700, control: 7701 });
  });

  test("give way to the next free ones, never both to the same", async () => {
    expect(await choosePorts(wanted, freeBut(7700))).toEqual({ api: 7702, control: 7701 });
    expect(await choosePorts(wanted, freeBut(7700, 7701))).toEqual({ api: 7702, control: 7703 });
  });

  test("that somebody chose are not replaced", async () => {
    await expect(choosePorts(chosen, freeBut(7701))).rejects.toMatchObject({
      failure: { exitCode: 2, code: "PORT_TAKEN", message: expect.stringContaining("7701") },
    });
  });

  test("must differ", async () => {
    const same = { api: { port: 9000, chosen: true }, control: { port: 9000, chosen: true } };
    await expect(choosePorts(same, freeBut())).rejects.toMatchObject({ failure: { exitCode: 2 } });
  });

  test("end the start when none is free", async () => {
    await expect(choosePorts(wanted, async () => false)).rejects.toMatchObject({ failure: { exitCode: 4 } });
  });
});
