/** A time as a person says it: `1 second`, `2 seconds`. */
export function secondsText(count: number): string {
  return `${count} ${count === 1 ? 'second' : 'seconds'}`;
}

/** Those sentences that there are, one after the other; undefined if there are none. */
export function sentences(...all: readonly (string | undefined)[]): string | undefined {
  const given = all.filter((sentence) => sentence !== undefined);
  return given.length === 0 ? undefined : given.join(' ');
}
