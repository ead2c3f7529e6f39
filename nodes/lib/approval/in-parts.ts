import type { Time } from '../time';

/** So many are worked on without a break. */
const atOnce = 50;

/**
 * Does something with each of perhaps very many items, in order and part by part: between two parts whatever else waits
 * has its turn. The first part is begun at once, and none waits for what an earlier one has to wait for.
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
    // Told below, and not to be taken for a rejection that nobody hears of until then.
    part.catch(() => undefined);
    parts.push(part);
  }
  await Promise.all(parts);
}
