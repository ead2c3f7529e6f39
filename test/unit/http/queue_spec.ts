import should from 'should';
import type { AuthyError } from '../../../nodes/lib/contract/errors';
import type { CallOptions, Performed, Service } from '../../../nodes/lib/contract/service';
import { QueuedService } from '../../../nodes/lib/http/queue';

type Read = Performed<'userStatus'>;

/** A service whose operations end when they are told to, and whose time passes when it is told to. */
class Standing {
  /** The IDs that were asked about, in their order. */
  readonly begun: string[] = [];
  private readonly open: (() => void)[] = [];
  private readonly alarms = new Map<() => void, number>();
  private now = 0;

  readonly time = {
    after: (milliseconds: number, call: () => void): (() => void) => {
      this.alarms.set(call, this.now + milliseconds);
      return () => this.alarms.delete(call);
    },
  };

  readonly service = {
    phones: 'possible',
    perform: (_name: string, { authyId }: { authyId: string }) => {
      this.begun.push(authyId);
      return new Promise((resolve) => this.open.push(() => resolve({ outcome: 'read' })));
    },
    test: () => Promise.resolve('standing'),
    close: () => undefined,
  } as unknown as Service;

  pass(milliseconds: number): void {
    this.now += milliseconds;
    for (const [call, at] of [...this.alarms]) {
      if (at > this.now) continue;
      this.alarms.delete(call);
      call();
    }
  }

  /** The oldest operation under way ends. */
  async end(): Promise<void> {
    this.open.shift()?.();
    await turns();
  }

  /** How many alarms are set. */
  get waits(): number {
    return this.alarms.size;
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const minute = 60_000;

describe('A service whose operations wait for their turn', () => {
  let standing: Standing;
  let queued: QueuedService;

  beforeEach(() => {
    standing = new Standing();
    // Five are let in.
    queued = new QueuedService(standing.service, { maxInFlight: 1, maxQueued: 3 }, standing.time);
  });

  const ask = (authyId: string, options: CallOptions = {}): Promise<Read> =>
    queued.perform('userStatus', { authyId }, options);

  /** What an operation that failed ended with. */
  const problem = (asked: Promise<Read>): Promise<string> =>
    asked.then(
      () => 'none',
      (error: unknown) => (error as AuthyError).code,
    );

  /** Asks until nobody more is let in. */
  const fill = (): Promise<Read>[] => Array.from({ length: 5 }, (_, index) => ask(`in ${index}`));

  it('lets them in in their order, each when another one has ended', async () => {
    void fill();
    const waiting = ['a', 'b'].map((id) => ask(id));
    await turns();
    should(standing.begun).have.length(5);
    await standing.end();
    should(standing.begun.slice(5)).eql(['a']);
    await standing.end();
    should(standing.begun.slice(5)).eql(['a', 'b']);
    for (let count = 0; count < 5; count++) await standing.end();
    should(await Promise.all(waiting.map(problem))).eql(['none', 'none']);
    should(standing.waits).equal(0);
  });

  it('ends one that has waited for ten minutes, and not sooner; it is never asked, and the next one is', async () => {
    void fill();
    const first = problem(ask('waits too long'));
    await turns();
    standing.pass(10 * minute - 1);
    const second = ask('comes later');
    await turns();
    standing.pass(1);
    should(await first).equal('AUTHY_BUSY');
    await standing.end();
    should(standing.begun.slice(5)).eql(['comes later']);
    for (let count = 0; count < 5; count++) await standing.end();
    should(await problem(second)).equal('none');
  });

  it('does not end one that has begun, however late the timer is after the clock jumped', async () => {
    void fill();
    const late = ask('begins late');
    await turns();
    await standing.end();
    standing.pass(1000 * minute);
    for (let count = 0; count < 5; count++) await standing.end();
    should(await problem(late)).equal('none');
  });

  it('refuses one more than may wait, and more than may be held', async () => {
    void fill();
    const waiting = ['a', 'b', 'c'].map((id) => problem(ask(id)));
    should(await problem(ask('one more'))).equal('AUTHY_BUSY');
    queued.close();
    should(await Promise.all(waiting)).eql(Array(3).fill('AUTHY_CANCELLED'));

    queued = new QueuedService(standing.service, { maxInFlight: 1, maxQueued: 1000 }, standing.time);
    void fill();
    const large = problem(ask('x'.repeat(16 * 1024 * 1024 - 100)));
    should(await problem(ask('y'.repeat(200)))).equal('AUTHY_BUSY');
    queued.close();
    should(await large).equal('AUTHY_CANCELLED');
    should(standing.begun.filter((id) => !id.startsWith('in '))).eql([]);
  });

  it('ends those whose node is closed, and lets in the others', async () => {
    void fill();
    const closing = new AbortController();
    const told: string[] = [];
    const onCancelled = ({ code }: AuthyError): number => told.push(code);
    const onQueued = (isQueued: boolean): number => told.push(isQueued ? 'waits' : 'waits no more');
    const closed = problem(ask('closed', { signal: closing.signal, onCancelled, onQueued }));
    const other = ask('other');
    closing.abort();
    should(await closed).equal('AUTHY_CANCELLED');
    should(told).eql(['waits', 'AUTHY_CANCELLED', 'waits no more']);
    should(await problem(ask('too late', { signal: closing.signal }))).equal('AUTHY_CANCELLED');
    await standing.end();
    should(standing.begun.slice(5)).eql(['other']);
    for (let count = 0; count < 5; count++) await standing.end();
    should(await problem(other)).equal('none');
    should(standing.waits).equal(0);
  });

  it('gives no place to one that ends in the same moment as the one before it', async () => {
    const operations = fill();
    const closing = new AbortController();
    // Their ends come before anything else that waits to run.
    closing.signal.addEventListener('abort', () => void standing.end());
    const closed = problem(ask('closed', { signal: closing.signal }));
    const other = ask('other');
    closing.abort();
    should(await closed).equal('AUTHY_CANCELLED');
    await operations[0];
    await turns();
    should(standing.begun.slice(5)).eql(['other']);
    for (let count = 0; count < 5; count++) await standing.end();
    should(await problem(other)).equal('none');
  });

  it('lets in at once what an approval gate has admitted, which others may withdraw meanwhile', () => {
    void fill();
    void ask('admitted', { isAdmitted: true });
    should(standing.begun.at(-1)).equal('admitted');
  });

  it('lets in at once what has a time of its own, and all if none may wait', async () => {
    void fill();
    void ask('in a hurry', { deadline: 1 });
    should(standing.begun.at(-1)).equal('in a hurry');
    queued = new QueuedService(standing.service, { maxInFlight: 1, maxQueued: 0 }, standing.time);
    void fill();
    void ask('one more');
    should(standing.begun.at(-1)).equal('one more');
    should(await queued.test()).equal('standing');
  });
});
