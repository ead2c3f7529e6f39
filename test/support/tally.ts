/* eslint-disable @typescript-eslint/no-require-imports -- the types of Node-RED's own modules lack its hooks */
const { hooks } = require('@node-red/util') as {
  hooks: {
    add(id: string, hook: (event: unknown) => void): void;
    remove(id: string): void;
  };
};

interface Numbered {
  no?: number;
  payload?: { decision?: string; reason?: string | null };
}

/** How a message ended. */
export interface Entry {
  sent: string[];
  ended: string[];
}

/**
 * Follows numbered messages, each through one node, by Node-RED's own hooks: these see at once what leaves a node and
 * what is complete, even during a deploy.
 *
 * Source: https://nodered.org/docs/api/hooks/messaging/
 */
export class Tally {
  readonly open = new Set<string>();
  /** What the errors say, by the number of the message. */
  readonly texts = new Map<string, string>();
  private readonly entries = new Map<string, Entry>();
  private readonly waiting = new Map<string, (entry: Entry) => void>();

  /** @param nodeIds - the nodes whose messages are followed */
  start(...nodeIds: readonly string[]): void {
    const followed = new Set(nodeIds);
    hooks.add('onReceive.tally', (event) => {
      const { msg, destination } = event as { msg: Numbered; destination: { id: string } };
      if (!followed.has(destination.id) || msg.no === undefined) return;
      this.entry(msg.no);
    });
    hooks.add('onSend.tally', (events) => {
      for (const { msg, source } of events as { msg: Numbered; source: { id: string } }[]) {
        if (!followed.has(source.id) || msg.no === undefined) continue;
        const { decision = 'nothing', reason } = msg.payload ?? {};
        this.entry(msg.no).sent.push(reason ? `${decision} ${reason}` : decision);
      }
    });
    hooks.add('onComplete.tally', (event) => {
      const { msg, node, error } = event as {
        msg: Numbered;
        node: { id: string };
        error?: { code?: string; message?: string };
      };
      if (!followed.has(node.id) || msg.no === undefined) return;
      const key = String(msg.no);
      this.entry(msg.no).ended.push(error ? `error ${error.code ?? ''}` : 'complete');
      if (error) this.texts.set(key, error.message ?? '');
      this.open.delete(key);
      this.waiting.get(key)?.(this.entry(msg.no));
      this.waiting.delete(key);
    });
  }

  stop(): void {
    for (const hook of ['onReceive', 'onSend', 'onComplete']) hooks.remove(`${hook}.tally`);
  }

  /** Waits until a message that is still to be given has ended. */
  ending(no: number): Promise<Entry> {
    return new Promise((resolve) => this.waiting.set(String(no), resolve));
  }

  /** The messages that did not end exactly once, in words. */
  get problems(): string[] {
    return [...this.entries]
      .filter(([, { sent, ended }]) => ended.length !== 1 || sent.length > (ended[0] === 'complete' ? 1 : 0))
      .map(([no, { sent, ended }]) => `message ${no}: left ${sent.join(', ')}; ended ${ended.join(', ')}`);
  }

  /** The numbers of the messages, by how they ended. */
  account(): Record<string, string[]> {
    const account: Record<string, string[]> = {};
    for (const [no, { sent, ended }] of this.entries) {
      const how = ended[0] === 'complete' ? (sent[0] ?? 'withdrawn') : (ended[0] ?? 'lost');
      (account[how] ??= []).push(no);
    }
    return account;
  }

  private entry(no: number): Entry {
    const key = String(no);
    let entry = this.entries.get(key);
    if (entry === undefined) {
      entry = { sent: [], ended: [] };
      this.entries.set(key, entry);
      this.open.add(key);
    }
    return entry;
  }
}
