class Skipped extends Error {}

/**
 * Does here what a suite of tests would be skipped for, where a package cannot be downloaded.
 *
 * @returns undefined where that happened; the reason was written
 */
export async function unlessSkipped<T>(work: (context: Mocha.Context) => Promise<T>): Promise<T | undefined> {
  const context = {
    skip() {
      throw new Skipped();
    },
  } as unknown as Mocha.Context;
  try {
    return await work(context);
  } catch (error) {
    if (error instanceof Skipped) return undefined;
    throw error;
  }
}
