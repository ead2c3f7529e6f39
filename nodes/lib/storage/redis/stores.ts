import { randomUUID } from 'node:crypto';
import type { Node } from 'node-red';
import type { ApprovalAnswer } from '../../contract/service';
import type { RecordEvents } from '../records';
import type { Messenger, Stores } from '../stores';
import { RedisConnection, type RedisSettings } from './connection';
import { type Instance, thisInstance } from './instance';
import { RedisLedger } from './ledger';
import type { Link } from './link';
import { RedisRails } from './rails';
import { RedisRecords } from './records';
import { readHint } from './texts';
import { realTime, type Clock } from '../../time';

// All in milliseconds.
const signOfLifeEvery = 5000;
/** Node-RED gives a node 15 s to close. */
const closesWithin = 12_000;
/** An answer that took longer is not used to set the clock. */
const tellsTime = 1000;

export interface RedisStoresOptions {
  /** Identifies the store: another account in the same Redis has another one. It may hold a secret, and is not shown. */
  readonly name: string;
  /** Writes a line to the log; it holds no secret. */
  readonly log: (line: string) => void;
  /** Takes the answers whose callbacks came to another instance. */
  readonly onAnswer: (answer: ApprovalAnswer) => void;
  readonly instance?: Instance;
  readonly time?: Clock;
}

/**
 * The stores of an account, in Redis.
 *
 * @param accountId - the same on all instances, since they run the same flows
 * @param onAnswer - takes the answers whose callbacks came to another instance
 */
export function redisStores(
  accountId: string,
  settings: RedisSettings,
  onAnswer: (answer: ApprovalAnswer) => void,
): RedisStores {
  const link = new RedisConnection(accountId, settings, realTime);
  return new RedisStores(link, { name: `redis ${settings.url} ${accountId}`, log: settings.log, onAnswer });
}

/**
 * The stores of an account, in Redis, for several instances of the same flows. A record is held by the instance that
 * made it: only this one may hand its message on, and has its `req` and `res`. If an instance gives no sign of life for
 * 15 s, any other takes its records over.
 */
export class RedisStores implements Stores {
  readonly name: string;
  readonly ledger: RedisLedger;
  readonly rails: RedisRails;
  readonly messenger: Messenger;
  readonly scripts: Link;
  readonly instance: Instance;
  readonly time: Clock;
  private readonly opened = new Set<RedisRecords>();
  private cancelBeat: (() => void) | undefined;
  private isBeating = false;
  private isEnded = false;
  /** The mark that Redis had when it last answered. */
  private lastMark: string | undefined;
  private clockOffset: number | undefined;
  private looking: Promise<void> | undefined;

  constructor(
    link: Link,
    private readonly options: RedisStoresOptions,
  ) {
    this.name = options.name;
    this.scripts = link;
    this.instance = options.instance ?? thisInstance;
    this.time = options.time ?? realTime;
    this.ledger = new RedisLedger(link);
    this.rails = new RedisRails(link);
    this.messenger = { tell: (answer) => this.tell(answer) };
    link.open(
      () => void this.beat(),
      (text) => this.hear(text),
    );
  }

  now(): number {
    // By the steady clock: the other may jump between two answers of Redis.
    return this.clockOffset === undefined ? this.time.wall() : this.time.steady() + this.clockOffset;
  }

  records(gate: Pick<Node, 'id'>, events: RecordEvents): RedisRecords {
    const records = new RedisRecords(this, gate.id, events);
    this.opened.add(records);
    void records.closed.then(() => this.opened.delete(records));
    return records;
  }

  async knowTime(): Promise<void> {
    if (this.clockOffset === undefined) await this.giveSignOfLife();
  }

  lookForOld(): Promise<void> {
    this.looking ??= this.scanOld().catch((error: unknown) => {
      this.looking = undefined;
      throw error;
    });
    return this.looking;
  }

  /** Gives signs of life until the last moment: gates that close still end records. */
  async close(): Promise<void> {
    const begun = this.time.steady();
    const left = (): number => closesWithin - (this.time.steady() - begun);
    let cancel: (() => void) | undefined;
    const late = new Promise<void>((resolve) => (cancel = this.time.after(closesWithin - 1000, resolve)));
    await Promise.race([Promise.all([...this.opened].map(({ closed }) => closed)), late]);
    cancel?.();
    this.isEnded = true;
    this.cancelBeat?.();
    await this.scripts.close(left());
  }

  private tell(answer: ApprovalAnswer): void {
    this.scripts.run('tell', JSON.stringify({ from: this.instance.id, answer })).catch(() => {
      // If this is lost, polling finds the answer.
    });
  }

  private hear(text: string): void {
    const heard = readHint(text);
    if (heard === undefined || heard.from === this.instance.id || this.isEnded) return;
    if (heard.answer !== undefined) this.options.onAnswer(heard.answer);
    for (const records of this.opened) if (records.gateId === heard.gate) this.tellWithdrawn(records);
  }

  /** Gives a sign of life, looks for records that others have abandoned or withdrawn, and repeats that. */
  private async beat(): Promise<void> {
    if (this.isBeating || this.isEnded) return;
    this.isBeating = true;
    this.cancelBeat?.();
    try {
      await this.giveSignOfLife();
      await this.finishGivenUp();
      for (const records of this.opened) {
        this.tellWithdrawn(records);
        records.events.onAbandoned();
      }
    } catch {
      // Redis is away; the connection has reported it.
    }
    this.isBeating = false;
    if (!this.hasEnded()) this.cancelBeat = this.time.after(signOfLifeEvery, () => void this.beat());
  }

  private hasEnded(): boolean {
    return this.isEnded;
  }

  private tellWithdrawn(records: RedisRecords): void {
    records.tellWithdrawn().catch(() => {
      // The next sign of life asks again.
    });
  }

  private async giveSignOfLife(): Promise<void> {
    const askedAt = this.time.steady();
    const answer = await this.scripts.run('signOfLife', this.instance.id, randomUUID());
    const [mark, time] = answer as [string, number];
    const took = this.time.steady() - askedAt;
    if (took < tellsTime || this.clockOffset === undefined) this.clockOffset = time - this.time.steady();
    if (this.lastMark !== undefined && this.lastMark !== mark) {
      this.options.log(
        'Redis has lost its data: open approval requests end in an error. ' +
          'Let it write to the disk (appendonly yes), and let nobody flush it.',
      );
    }
    this.lastMark = mark;
  }

  /** Makes sure that records that were given up when their gate closed are not in Redis. */
  private async finishGivenUp(): Promise<void> {
    const { givenUp } = this.instance;
    for (const [key, args] of givenUp) {
      if (!key.startsWith(`${this.name} `)) continue;
      // One that fails must not block the others, or the steps after them.
      await this.scripts.run('void', ...args()).then(
        () => givenUp.delete(key),
        () => undefined,
      );
    }
  }

  private async scanOld(): Promise<void> {
    let cursor = '0';
    do {
      cursor = String(await this.scripts.run('scanOld', cursor));
    } while (cursor !== '0');
  }
}
