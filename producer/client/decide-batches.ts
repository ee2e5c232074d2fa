/** How many jobs go into one request. Pure. */

/** What `POST /v1/jobs/batch` takes as one JSON array. */
export const BATCH_ITEMS_MAX = 1_000;
export const BATCH_BYTES_MAX = 1_048_576;

/**
 * Splits texts of job requests, in order, so that each part is a JSON array within the limits. A text that is
 * larger than a whole batch goes alone: the server says what is wrong with it.
 *
 * @returns the index after the last text of each part.
 */
export function decideBatches(textBytes: readonly number[]): readonly number[] {
  const ends: number[] = [];
  let items = 0;
  // The brackets; a comma goes with each text.
  let bytes = 2;
  textBytes.forEach((size, index) => {
    if (items > 0 && (items >= BATCH_ITEMS_MAX || bytes + size + 1 > BATCH_BYTES_MAX)) {
      ends.push(index);
      items = 0;
      bytes = 2;
    }
    items += 1;
    bytes += size + 1;
  });
  if (items > 0) ends.push(textBytes.length);
  return ends;
}
