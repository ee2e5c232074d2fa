/** What `sluice gate` reads from the control API's answers about gates. */
import { z } from "zod";

const text = z.string();
const count = z.number();

export const gateAnswer = z.object({
  type: text,
  queue: text,
  activeversion: count,
  /** Slots of the workers that read the next version. */
  readerSlots: count,
  /** Slots that the type's jobs keep busy now; `null` while not measured. */
  loadSlots: count.nullable(),
  /** `null` when nothing is above the gate. */
  next: z.object({ version: count, mayRise: z.boolean(), reason: text.nullable() }).nullable(),
  versions: z.array(
    z.object({
      version: count,
      state: text,
      since: text.nullable(),
      by: text.nullable(),
      sunset: text.nullable(),
    }),
  ),
  /** Oldest first. */
  events: z.array(z.object({ at: text, by: text, change: text, version: count, why: text })),
});

export const gatesAnswer = z.object({ gates: z.array(gateAnswer) });

export const movedAnswer = z.object({ type: text, from: count, activeversion: count, moved: z.boolean() });

export type GateAnswer = z.output<typeof gateAnswer>;
export type MovedAnswer = z.output<typeof movedAnswer>;
