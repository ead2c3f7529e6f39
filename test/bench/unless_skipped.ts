class Skipped extends Error {}

/**
 * Does work that skips a suite of tests if a package cannot be downloaded.
 *
 * @returns undefined if it was skipped; the reason has been printed
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
