/** Before the clock starts, for connections to be opened, in milliseconds. */
const leadIn = 100;

/**
 * How many calls a second a client makes, with so many under way at once.
 *
 * @param milliseconds - after this time no further call begins; those under way are waited for, and count
 */
export async function callRate(
  call: () => Promise<unknown>,
  inFlight: number,
  milliseconds: number,
): Promise<number> {
  await callFor(call, inFlight, leadIn);
  const started = performance.now();
  const done = await callFor(call, inFlight, milliseconds);
  return done / ((performance.now() - started) / 1000);
}

/** Makes calls for so long, and returns how many. */
async function callFor(
  call: () => Promise<unknown>,
  inFlight: number,
  milliseconds: number,
): Promise<number> {
  let done = 0;
  const started = performance.now();
  await inPlaces(inFlight, async () => {
    do {
      await call();
      done += 1;
    } while (performance.now() - started < milliseconds);
  });
  return done;
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
