/** The values in their order, each once; taken one by one as they are asked for. */
export function* distinct<Value>(values: Iterable<Value>): Iterable<Value> {
  const seen = new Set<Value>();
  for (const value of values) {
    if (seen.has(value)) continue;
    seen.add(value);
    yield value;
  }
}

/** The first `count` of them, no more of which are made. */
export function firstOf<Value>(count: number, values: Iterable<Value>): Value[] {
  const first: Value[] = [];
  for (const value of values) {
    if (first.length >= count) break;
    first.push(value);
  }
  return first;
}
