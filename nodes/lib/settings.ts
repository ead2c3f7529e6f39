/**
 * Reads a number from a node's settings: a number, or text where it came from an environment variable.
 *
 * @param fallback - where it is missing, not a number, or not above 0
 */
export function positiveNumber(value: unknown, fallback: number): number {
  const number = Number(value);
  return Number.isFinite(number) && number > 0 ? number : fallback;
}

/**
 * As {@link positiveNumber}, where 0 has a meaning of its own.
 *
 * @param fallback - where it is missing, not a number, or below 0
 */
export function numberFromZero(value: unknown, fallback: number): number {
  return value === 0 || value === '0' ? 0 : positiveNumber(value, fallback);
}
