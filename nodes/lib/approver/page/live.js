/** In milliseconds. */
const pollEvery = 5000;

/** After so many failures in a row the page asks by itself; one is ordinary: the server ends each stream after a minute. */
const failuresBeforePolling = 2;

/** A computer is told in the background as well: the title of the tab says so. A phone sleeps there. */
const isComputer = matchMedia('(hover: hover) and (pointer: fine)').matches;

/** The other tabs of this page: a browser has few connections to one host, so only the last of those in the background listens. */
const others = globalThis.BroadcastChannel && new BroadcastChannel(`authy-approver ${location.pathname}`);

const canListen = () => !document.hidden || (isComputer && others !== undefined);

/**
 * Asks for the state whenever it may have changed: after each event of the server; where its events do not come through, every
 * 5 s. On a phone only while the page can be seen.
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
    others?.addEventListener('message', () => document.hidden && this.disconnect());
    setInterval(() => this.poll(), pollEvery);
  }

  /** Whether the server has events for us: only for a phone that is signed in. */
  set isSignedIn(isSignedIn) {
    if (this.wanted === isSignedIn) return;
    this.wanted = isSignedIn;
    this.connect();
  }

  follow() {
    if (!document.hidden) {
      this.connect();
      void this.refresh();
    } else if (!canListen()) this.disconnect();
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
    if (!this.wanted || !canListen()) return;
    others?.postMessage('listening');
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
