/** Called when what a person's pages show is no longer what there is. */
type Changed = () => void;

/** The open pages of each person in this process, by account: they outlive a deploy of the account. */
const open = new Map<string, Set<Changed>>();

/** Those of whom the last page has just been closed. */
const justClosed = new Map<string, NodeJS.Timeout>();
/** A page that is loaded again, or whose events were cut off, is there again after a second. In milliseconds. */
const comesBack = 3_000;

const keyOf = (accountId: string, authyId: string): string => JSON.stringify([accountId, authyId]);

/** An open page of a person. @returns stops telling it */
export function onChange(accountId: string, authyId: string, changed: Changed): () => void {
  const key = keyOf(accountId, authyId);
  const pages = open.get(key) ?? new Set();
  open.set(key, pages.add(changed));
  return () => {
    pages.delete(changed);
    if (pages.size > 0 || open.get(key) !== pages) return;
    open.delete(key);
    clearTimeout(justClosed.get(key));
    justClosed.set(key, setTimeout(() => justClosed.delete(key), comesBack).unref());
  };
}

/** Tells all open pages of a person. */
export function tellPages(accountId: string, authyId: string): void {
  for (const changed of [...(open.get(keyOf(accountId, authyId)) ?? [])]) changed();
}

/** Whether a person has a page open, or had one a moment ago: until it is there again, nobody takes it for closed. */
export function hasPage(accountId: string, authyId: string): boolean {
  const key = keyOf(accountId, authyId);
  return open.has(key) || justClosed.has(key);
}
