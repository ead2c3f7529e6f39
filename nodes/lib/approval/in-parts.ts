import type { Time } from '../time';

/** The number of items handled without a break. */
const atOnce = 50;

/**
 * Does something with each of perhaps very many items, in order and part by part: between two parts other work has its
 * turn. The first part begins at once, and no part waits for the asynchronous work of an earlier one.
 *
 * @returns settles when all of it is done; rejects as soon as one did
 */
export async function inParts<T>(
  items: readonly T[],
  work: (item: T) => Promise<void> | void,
  time: Pick<Time, 'turn'>,
): Promise<void> {
  const parts: Promise<unknown>[] = [];
  for (let from = 0; from < items.length; from += atOnce) {
    if (from > 0) await time.turn();
    const part = Promise.all(items.slice(from, from + atOnce).map(async (item) => work(item)));
    // It is reported below; until then it must not count as an unhandled rejection.
    part.catch(() => undefined);
    parts.push(part);
  }
  await Promise.all(parts);
}
