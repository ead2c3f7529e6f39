/** An answer of the simulator, before it is written: `body` becomes JSON without spaces; null: there is none. */
export interface Reply {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> | null;
  readonly headers?: Readonly<Record<string, string>>;
}
