import type { NodeAPI } from 'node-red';

/** The deploys of a Node-RED. */
class Deploys {
  private underWay = false;
  private readonly calls = new Set<() => void>();

  /** Source: https://nodered.org/docs/api/runtime/events/ */
  constructor({ events }: NodeAPI) {
    const begin = (): boolean => (this.underWay = true);
    events.on('flows:stopping', begin);
    events.on('flows:starting', begin);
    const end = (): void => {
      this.underWay = false;
      for (const call of [...this.calls]) call();
    };
    events.on('flows:started', end);
    // Flows that are stopped by hand, or that cannot start, say so in no other way.
    events.on('runtime-event', (told: RuntimeEvent) => {
      if (this.underWay && isEnd(told)) end();
    });
  }

  /** Whether nodes are being stopped or started now. */
  get isUnderWay(): boolean {
    return this.underWay;
  }

  /** Calls back after each deploy. @returns stops that */
  onEnd(call: () => void): () => void {
    this.calls.add(call);
    return () => void this.calls.delete(call);
  }

  /**
   * Resolves once all nodes that can start are there, or when the signal aborts: the one who asks may be stopped by this very
   * deploy.
   */
  settled(signal?: AbortSignal): Promise<void> {
    if (!this.underWay || signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        stop();
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const stop = this.onEnd(end);
      signal?.addEventListener('abort', end);
    });
  }
}

/** What the runtime tells the editor, as far as it is looked at here. */
interface RuntimeEvent {
  readonly id: string;
  readonly payload?: { readonly state?: string; readonly deploy?: boolean };
}

function isEnd({ id, payload }: RuntimeEvent): boolean {
  // Within a deploy, flows are stopped to be started again.
  const isStopped = payload?.state !== undefined && payload.state !== 'start' && payload.deploy !== true;
  return id === 'runtime-deploy' || (id === 'runtime-state' && isStopped);
}

/** One for each Node-RED in this process: it listens once, however many nodes ask. */
const known = new WeakMap<NodeAPI['events'], Deploys>();

/** The deploys of this Node-RED. Ask for them when nodes are registered: before that, nobody sees a deploy begin. */
export function deploysOf(RED: NodeAPI): Deploys {
  const deploys = known.get(RED.events) ?? new Deploys(RED);
  known.set(RED.events, deploys);
  return deploys;
}
