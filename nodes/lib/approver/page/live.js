/** In milliseconds. */
const pollEvery = 5000;

/** After so many failures in a row the page asks by itself; one is ordinary: the server ends each stream after a minute. */
const failuresBeforePolling = 2;

/** A computer is told in the background as well: the title of the tab says so. A phone sleeps there. */
const isComputer = matchMedia('(hover: hover) and (pointer: fine)').matches;

/**
 * A browser has few connections to one host: of its tabs in the background only the one that has this lock listens. There are locks
 * where the page is secure; elsewhere nobody listens in the background.
 */
const lock = `authy-approver ${location.pathname}`;

/**
 * Asks for the state whenever it may have changed: after each event of the server; where its events do not come through, every
 * 5 s. In the background only on a computer, and there in one tab.
 */
export class Live {
  /** @param ask - asks for the state; resolves to whether there was an answer */
  constructor(ask) {
    this.ask = ask;
    this.failures = 0;
    this.isReachable = true;
    document.addEventListener('visibilitychange', () => this.follow());
    addEventListener('pageshow', ({ persisted }) => persisted && this.follow());
    addEventListener('online', () => this.follow());
    setInterval(() => this.poll(), pollEvery);
  }

  /** Whether the server has events for us: only for a phone that is signed in. */
  set isSignedIn(isSignedIn) {
    if (this.wanted === isSignedIn) return;
    this.wanted = isSignedIn;
    this.listen();
  }

  follow() {
    this.listen();
    if (!document.hidden) void this.refresh();
  }

  /** Listens at once where the page can be seen; otherwise once it is this tab's turn. */
  listen() {
    this.turn?.abort();
    this.disconnect();
    if (!this.wanted) return;
    if (!document.hidden) this.connect();
    else if (isComputer) this.waitForTurn();
  }

  waitForTurn() {
    const turn = new AbortController();
    this.turn = turn;
    const listenUntilOver = () =>
      new Promise((resolve) => {
        turn.signal.addEventListener('abort', resolve);
        this.connect();
      });
    // It is refused if the turn is over before it has come.
    navigator.locks?.request(lock, { signal: turn.signal }, listenUntilOver).catch(() => undefined);
  }

  async refresh() {
    this.isReachable = await this.ask();
  }

  disconnect() {
    this.source?.close();
    this.source = undefined;
  }

  connect() {
    this.disconnect();
    this.source = new EventSource('api/events');
    this.source.addEventListener('open', () => {
      this.failures = 0;
      void this.refresh();
    });
    this.source.addEventListener('changed', () => void this.refresh());
    this.source.addEventListener('error', () => {
      this.failures += 1;
    });
  }

  poll() {
    if (document.hidden && this.source === undefined) return;
    const isClosed = this.source?.readyState === EventSource.CLOSED;
    if (isClosed) this.connect();
    if (isClosed || !this.isReachable || this.failures >= failuresBeforePolling) void this.refresh();
  }
}
