/** Colour, where it is wanted: never the only carrier of a meaning, and never in a pipe. */
import { styleText } from "node:util";

export interface Painter {
  good(text: string): string;
  bad(text: string): string;
  warn(text: string): string;
  dim(text: string): string;
  strong(text: string): string;
}

export interface ColourFacts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isTty: boolean;
  /** `--no-color` was given. */
  readonly refused: boolean;
}

/** By no-color.org and the habits around it: the flag, then NO_COLOR, then FORCE_COLOR, then the terminal. */
export function wantsColour({ env, isTty, refused }: ColourFacts): boolean {
  if (refused || isSet(env.NO_COLOR)) return false;
  if (isSet(env.FORCE_COLOR)) return env.FORCE_COLOR !== "0";
  return isTty && env.TERM !== "dumb";
}

export function painter(colour: boolean): Painter {
  const paint = (style: Parameters<typeof styleText>[0]) => (text: string) =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  return {
    good: paint("green"),
    bad: paint("red"),
    warn: paint("yellow"),
    dim: paint("dim"),
    strong: paint("bold"),
  };
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "";
}
