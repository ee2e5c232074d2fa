/**
 * A run as a picture: supply and demand of workers, and below them the age of the oldest job against the promise.
 *
 * SVG by hand, readable on a light and on a dark page. Names are given by people and are escaped.
 */
import { CELL_MS, type Outcome } from "./outcome.ts";

export interface PlotTitle {
  readonly trace: string;
  readonly pool: string;
}

const WIDTH = 960;
const LEFT = 64;
const RIGHT = 16;
const PANEL_HEIGHT = 200;
const TOPS = [64, 320] as const;
const HEIGHT = 576;
const TICKS = 5;

const STYLE = `
  svg { font: 12px system-ui, sans-serif; background: #fff }
  text { fill: #1a1a1a } .title { font-size: 15px; font-weight: 600 } .axis { stroke: #888; fill: none }
  .grid { stroke: #ddd } .supply { stroke: #0b62c4; fill: none; stroke-width: 1.5 }
  .demand { stroke: #c2410c; fill: none; stroke-width: 1.5; stroke-dasharray: 4 2 }
  .age { stroke: #6d28d9; fill: none; stroke-width: 1.5 } .promise { stroke: #b91c1c; stroke-dasharray: 6 4 }
  @media (prefers-color-scheme: dark) {
    svg { background: #16181d } text { fill: #e6e6e6 } .grid { stroke: #333 } .supply { stroke: #6cb2ff }
    .demand { stroke: #ffa45c } .age { stroke: #c4a5ff } .promise { stroke: #ff8080 }
  }`;

/** @param demand workers by cell, of demand.ts. */
export function plotOf(outcome: Outcome, demand: Uint32Array, { trace, pool }: PlotTitle): string {
  const title = `${outcome.policy} on ${trace}, pool ${pool}`;
  const ages = outcome.oldestAgeMs.map((ms) => ms / 1_000);
  const promiseSec = outcome.pickupPromiseMs / 1_000;
  const workersMax = niceMax(Math.max(largest(outcome.supplyWorkers), largest(demand), 1));
  const ageMax = niceMax(Math.max(largest(ages), promiseSec));
  const [top, below] = TOPS;
  const hours = outcome.horizonMs / 3_600_000;
  const promiseY = yAt(promiseSec, ageMax, below).toFixed(1);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">`,
    `<title>${escaped(title)}</title><style>${STYLE}</style>`,
    `<text class="title" x="${LEFT}" y="28">${escaped(title)}</text>`,
    ...panel({ top, max: workersMax, caption: "workers", hours }),
    line("supply", outcome.supplyWorkers, workersMax, top),
    line("demand", demand, workersMax, top),
    `<text x="${LEFT + 96}" y="${top - 10}">solid: supply (ready), dashed: demand (least that keeps the promise)</text>`,
    ...panel({ top: below, max: ageMax, caption: "oldest age, s", hours }),
    line("age", ages, ageMax, below),
    `<line class="promise" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${promiseY}" y2="${promiseY}"/>`,
    `<text x="${LEFT + 96}" y="${below - 10}">dashed: the promise, ${promiseSec} s</text>`,
    "</svg>\n",
  ].join("\n");
}

interface Panel {
  readonly top: number;
  readonly max: number;
  readonly caption: string;
  readonly hours: number;
}

function panel({ top, max, caption, hours }: Panel): string[] {
  const bottom = top + PANEL_HEIGHT;
  const right = WIDTH - RIGHT;
  const unit = hours < 3 ? { name: "minutes", amount: hours * 60 } : { name: "hours", amount: hours };
  const steps = Array.from({ length: TICKS + 1 }, (_, step) => step / TICKS);
  return [
    ...steps.flatMap((share) => {
      const y = (bottom - share * PANEL_HEIGHT).toFixed(1);
      const x = (LEFT + share * (right - LEFT)).toFixed(1);
      return [
        `<line class="grid" x1="${LEFT}" x2="${right}" y1="${y}" y2="${y}"/>`,
        `<text x="${LEFT - 8}" y="${y}" dy="4" text-anchor="end">${shown(share * max)}</text>`,
        `<text x="${x}" y="${bottom + 18}" text-anchor="middle">${shown(share * unit.amount)}</text>`,
      ];
    }),
    `<path class="axis" d="M${LEFT} ${top}V${bottom}H${right}"/>`,
    `<text x="${LEFT}" y="${top - 10}">${caption}</text>`,
    `<text x="${right}" y="${bottom + 34}" text-anchor="end">${unit.name} from the beginning</text>`,
  ];
}

/** A step for each cell. */
function line(name: string, values: Float64Array | Uint32Array, max: number, top: number): string {
  const cellWidth = (WIDTH - RIGHT - LEFT) / Math.max(1, values.length);
  const steps = Array.from(values, (value, cell) => {
    const y = yAt(value, max, top).toFixed(1);
    const from = (LEFT + cell * cellWidth).toFixed(1);
    return `${cell === 0 ? "M" : "L"}${from} ${y}H${(LEFT + (cell + 1) * cellWidth).toFixed(1)}`;
  });
  const what = `${name}, by ${CELL_MS / 1_000} s`;
  return `<path class="${name}" d="${steps.join("")}"><title>${what}</title></path>`;
}

function yAt(value: number, max: number, top: number): number {
  return top + PANEL_HEIGHT * (1 - Math.min(value / max, 1));
}

/** The next of 1, 2, 2.5, 5 or 10 times a power of ten. */
function niceMax(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 2.5, 5].find((factor) => factor * power >= value) ?? 10);
}

function largest(values: Float64Array | Uint32Array): number {
  let most = 0;
  for (const value of values) if (value > most) most = value;
  return most;
}

function shown(value: number): string {
  return Number(value.toPrecision(3)).toString();
}

function escaped(text: string): string {
  return text
    .replace(/[\p{Cc}\ufffe\uffff]/gu, "\ufffd")
    .replace(/[&<>"']/g, (letter) => `&#${letter.codePointAt(0)};`);
}
