/** Who and why, as the body of a write says them: one line of text that a record can hold. */
import { z } from "zod";

const oneLine = z
  .string()
  .trim()
  .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u, "must have no control characters and no line breaks");

/** Not checked: read only where nobody is asked for a key. */
export const whoText = oneLine.min(1).max(128);

export const whyText = oneLine.min(3, "must say why, in at least three letters").max(500);
