/** Those sentences that there are, one after the other; undefined if there are none. */
export function sentences(...all: readonly (string | undefined)[]): string | undefined {
  const given = all.filter((sentence) => sentence !== undefined);
  return given.length === 0 ? undefined : given.join(' ');
}
