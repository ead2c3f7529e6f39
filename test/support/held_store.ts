/** A change that a context store is asked to make. */
export type StoreChange = (name: string, value: unknown) => boolean;

type Done = (error?: unknown, ...values: unknown[]) => void;

/**
 * A context store in memory whose changes wait or fail until they are released, like a full disk or a server that is
 * away. It answers reads at once.
 *
 * Source: https://nodered.org/docs/api/context/
 */
export class HeldStore {
  private readonly scopes = new Map<string, Map<string, unknown>>();
  private readonly held: { work: () => void; done: Done | undefined }[] = [];
  private isHeld: StoreChange = () => false;
  private isFailing: StoreChange = () => false;
  /** How many changes it has refused. */
  refused = 0;

  /** For `contextStorage` in the settings. */
  readonly module = (): object => ({
    open: () => Promise.resolve(),
    close: () => Promise.resolve(),
    get: (scope: string, names: string | string[], done: Done) =>
      done(undefined, ...[names].flat().map((name) => this.valuesOf(scope).get(name))),
    set: (scope: string, name: string, value: unknown, done?: Done) => this.change(scope, name, value, done),
    keys: (scope: string, done: Done) => done(undefined, [...this.valuesOf(scope).keys()]),
    delete: (scope: string) => Promise.resolve(this.scopes.delete(scope)),
    clean: () => Promise.resolve(),
  });

  /** How many changes wait. */
  get waiting(): number {
    return this.held.length;
  }

  /** Lets these changes wait from now on. */
  hold(isHeld: StoreChange = () => true): void {
    this.isHeld = isHeld;
  }

  /** Lets these changes fail from now on. */
  fail(isFailing: StoreChange = () => true): void {
    this.isFailing = isFailing;
  }

  /** Makes the waiting changes, and works normally from now on. */
  release(): void {
    this.isHeld = this.isFailing = () => false;
    for (const { work } of this.held.splice(0)) work();
  }

  /** Deletes all values. */
  lose(): void {
    this.scopes.clear();
  }

  /** Lets the waiting changes fail. */
  refuseHeld(): void {
    for (const { done } of this.held.splice(0)) done?.(new Error('the disk is full'));
  }

  private change(scope: string, name: string, value: unknown, done?: Done): void {
    if (this.isFailing(name, value)) {
      this.refused += 1;
      done?.(new Error('the disk is full'));
      return;
    }
    // The caller may change the value later.
    const kept: unknown = value === undefined ? undefined : JSON.parse(JSON.stringify(value));
    const work = (): void => {
      if (kept === undefined) this.valuesOf(scope).delete(name);
      else this.valuesOf(scope).set(name, kept);
      done?.();
    };
    if (this.isHeld(name, value)) this.held.push({ work, done });
    else work();
  }

  private valuesOf(scope: string): Map<string, unknown> {
    const values = this.scopes.get(scope) ?? new Map<string, unknown>();
    this.scopes.set(scope, values);
    return values;
  }
}
