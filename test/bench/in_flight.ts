/**
 * How many calls a second a client makes, with so many under way at once. Before the clock starts each place makes one,
 * so that the connections stand.
 *
 * @param milliseconds - after this time no further call begins; those under way are waited for, and count
 */
export async function callRate(
  call: () => Promise<unknown>,
  inFlight: number,
  milliseconds: number,
): Promise<number> {
  await inPlaces(inFlight, call);
  let done = 0;
  const started = performance.now();
  await inPlaces(inFlight, async () => {
    while (performance.now() - started < milliseconds) {
      await call();
      done += 1;
    }
  });
  return done / ((performance.now() - started) / 1000);
}

/** Makes a number of calls, with so many under way at once. */
export async function makeCalls(
  call: () => Promise<unknown>,
  inFlight: number,
  count: number,
): Promise<void> {
  let left = count;
  await inPlaces(inFlight, async () => {
    while (left > 0) {
      left -= 1;
      await call();
    }
  });
}

async function inPlaces(places: number, work: () => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: places }, work));
}
