/** Simpler requests that may show the same: fewer headers, a shorter query, a smaller body. Pure. */
import { shrinkDocument } from "#shared/contracts/compatibility/documents/shrink-document";
import type { FuzzRequest } from "./fuzz-request.ts";

/** Ever smaller requests; each is asked about by `shows`, and kept when it still shows it. */
export async function shrinkRequest(
  request: FuzzRequest,
  shows: (smaller: FuzzRequest) => Promise<boolean>,
  triesMax = 60,
): Promise<FuzzRequest> {
  let best = request;
  let tries = 0;
  for (let found = true; found; ) {
    found = false;
    for (const smaller of simpler(best)) {
      tries += 1;
      if (tries > triesMax) return best;
      if (!(await shows(smaller))) continue;
      best = smaller;
      found = true;
      break;
    }
  }
  return best;
}

function* simpler(request: FuzzRequest): Iterable<FuzzRequest> {
  const { headers, target, body, value, bytes } = request;
  if (bytes !== undefined) return;
  for (const index of headers.keys())
    yield { ...request, headers: headers.filter((_it, at) => at !== index) };
  const [path = "", query] = target.split("?");
  if (query !== undefined) {
    yield { ...request, target: path };
    const parts = query.split("&");
    for (const index of parts.keys()) {
      yield { ...request, target: `${path}?${parts.filter((_it, at) => at !== index).join("&")}` };
    }
  }
  if (body === null) return;
  if (value === undefined) {
    if (body.length > 16) yield { ...request, body: body.subarray(0, body.length / 2) };
    return;
  }
  for (const smaller of smallerValues(value)) {
    yield { ...request, value: smaller, body: Buffer.from(JSON.stringify(smaller) ?? "") };
  }
}

/** Every single step that the contracts' own shrinker would try from here. */
function smallerValues(value: unknown): readonly unknown[] {
  const tried: unknown[] = [];
  shrinkDocument(value, (smaller) => {
    tried.push(smaller);
    return tried.length >= 40;
  });
  return tried;
}
