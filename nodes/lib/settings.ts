/**
 * Reads a number from a node's settings: a number, or text where it came from an environment variable.
 *
 * @param fallback - where it is missing, not a number, or not above 0
 */
export function positiveNumber(value: unknown, fallback: number): number {
  const number = Number(value);
  return Number.isFinite(number) && number > 0 ? number : fallback;
}
