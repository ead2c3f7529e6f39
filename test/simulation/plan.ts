import { Random } from '../support/random';
import type { ServiceFaults } from './service';

export type StoreKind = 'memory' | 'files' | 'redis';

/** What can go wrong with a store: what it is told of a machine, for how long. */
export type StoreTrouble =
  /** Nothing gets through. */
  | 'cut'
  /** What is asked is done, and the answer is lost. */
  | 'loseAnswers'
  /** Nothing can be changed: a disk is full, a Redis is read-only. */
  | 'refuse'
  /** It has lost one record, or all. */
  | 'evict'
  | 'flush';

/** Something that happens, to an instance by its number. */
export type Happening = { readonly instance: number } & (
  | { readonly kind: 'ask'; readonly no: number; readonly authyId: string }
  | { readonly kind: 'withdraw'; readonly no: number | 'all' }
  | { readonly kind: 'deploy' }
  | { readonly kind: 'stop' | 'kill'; readonly away: number; readonly clock: number }
  | { readonly kind: 'standStill'; readonly ms: number; readonly isAsleep: boolean }
  | { readonly kind: 'clock'; readonly by: number }
  | { readonly kind: 'store'; readonly what: StoreTrouble; readonly ms: number }
);

/** The moments of a message at which trouble is worst. */
export type Moment = 'asked' | 'taken' | 'answered' | 'handedOn' | 'started';

export interface Strike {
  readonly when: Moment;
  /** So many milliseconds later. */
  readonly after: number;
  readonly does: Happening;
}

/** What a world is like, and what will happen in it. Times are in milliseconds. */
export interface Plan {
  readonly store: StoreKind;
  /** Whether the package's own code leads to Redis, and not the shortest that does the same. */
  readonly isReal: boolean;
  readonly instances: number;
  readonly join: boolean;
  readonly confirm: boolean;
  readonly timeoutOf: (no: number) => number;
  /** How long the phone offers a request, compared to the timeout. */
  readonly offered: number;
  readonly service: ServiceFaults;
  readonly serviceClock: number;
  readonly callback: { readonly lost: number; readonly repeated: number; readonly latest: number };
  /** The longest a store takes. */
  readonly storeLatency: number;
  readonly events: readonly { readonly at: number; readonly does: Happening }[];
  /** What happens right when something else does, once each. */
  readonly strikes: readonly Strike[];
  readonly has: ReadonlySet<Happening['kind'] | StoreTrouble>;
  readonly busyFor: number;
  readonly quietAt: number;
}

const timeouts = [1000, 2000, 5000, 10_000, 20_000, 40_000];

/** Draws a world. */
export function planOf(random: Random): Plan {
  const between = (low: number, high: number): number => low + random.next() * (high - low);
  const some = (probability: number, value: number): number => (random.happens(probability) ? value : 0);
  const store = random.pick<StoreKind>(['memory', 'files', 'files', 'redis', 'redis', 'redis']);
  const instances = store === 'redis' ? random.pick([1, 2, 2, 3]) : 1;
  const busyFor = between(5000, 60_000);
  const usual = random.pick(timeouts);
  const isMixed = random.happens(0.5);
  const drawn = new Map<number, number>();
  const timeoutOf = (no: number): number => {
    const timeout = drawn.get(no) ?? (isMixed ? random.pick(timeouts) : usual);
    drawn.set(no, timeout);
    return timeout;
  };
  const count = 1 + Math.floor(random.next() * 8);
  const people = random.pick([1, 2, 4]);
  const events: { at: number; does: Happening }[] = [];
  const add = (at: number, does: Happening): void => {
    events.push({ at, does });
  };
  const anyone = (): number => Math.floor(random.next() * instances);
  const isCrowded = random.happens(0.4);
  for (let no = 0; no < count; no++) {
    timeoutOf(no);
    const at = isCrowded ? between(0, 3000) : between(0, busyFor);
    add(at, { kind: 'ask', instance: anyone(), no, authyId: String(100 + (no % people)) });
  }
  const troubles = Math.floor(random.next() * 6);
  for (let index = 0; index < troubles; index++) {
    const at = between(0, busyFor);
    const instance = anyone();
    add(at, { instance, ...trouble(random, between, store, count) });
    // Trouble seldom comes alone.
    if (random.happens(0.3))
      add(at + between(0, 300), { instance, ...trouble(random, between, store, count) });
  }
  const strikes: Strike[] = [];
  if (random.happens(0.5)) {
    const when = random.pick<Moment>(['asked', 'taken', 'answered', 'answered', 'handedOn']);
    const instance = anyone();
    const count = 1 + Math.floor(random.next() * 2);
    for (let index = 0; index < count; index++) {
      const after = random.pick([0, between(0, 300), between(0, 3000)]);
      strikes.push({ when, after, does: { instance, ...trouble(random, between, store, count) } });
    }
  }
  // What an earlier life has left is being taken over.
  const isKilled = [...events, ...strikes].some(({ does }) => does.kind === 'kill');
  if (isKilled && store !== 'memory') strikes.push(...atTheStart(new Random(random.seed + 1), instances));
  const happenings = [...events, ...strikes].map(({ does }) => does);
  return {
    store,
    isReal: random.happens(0.7),
    instances,
    strikes,
    join: random.happens(0.4),
    confirm: random.happens(0.7),
    timeoutOf,
    offered: random.pick([1, 1, 10]),
    service: {
      refused: some(0.3, 0.1),
      lost: some(0.2, 0.15),
      noTimes: some(0.25, random.pick([0.3, 1])),
      tooMany: some(0.2, 0.2),
      latency: random.pick([20, 200, 1500]),
    },
    serviceClock: random.pick([0, 0, 300_000, -4_000_000]),
    callback: { lost: random.pick([0.2, 1]), repeated: 0.3, latest: random.pick([100, 4000]) },
    storeLatency: random.pick([1, 10, 150]),
    events,
    has: new Set(happenings.map((does) => (does.kind === 'store' ? does.what : does.kind))),
    busyFor,
    // The longest timeout, the last reading, an instance that is given up, and some time to try again.
    quietAt: busyFor + 150_000,
  };
}

/** Drawn apart: a world that has none is as it was before there were any. */
function atTheStart(random: Random, instances: number): Strike[] {
  if (random.happens(0.5)) return [];
  const instance = Math.floor(random.next() * instances);
  const does: Happening = random.happens(0.5)
    ? { kind: 'deploy', instance }
    : { kind: 'stop', instance, away: random.next() * 3000, clock: 0 };
  return [{ when: 'started', after: random.next() * 500, does }];
}

type Trouble = Happening extends infer H ? (H extends unknown ? Omit<H, 'instance'> : never) : never;

function trouble(
  random: Random,
  between: (low: number, high: number) => number,
  store: StoreKind,
  messages: number,
): Trouble {
  const away = random.pick([between(0, 3000), between(5000, 40_000)]);
  const clock = random.happens(0.4) ? random.pick([-3_600_000, -20_000, -5000, 20_000, 3_600_000]) : 0;
  switch (Math.floor(random.next() * 8)) {
    case 0:
      return { kind: 'withdraw', no: random.happens(0.3) ? 'all' : Math.floor(random.next() * messages) };
    case 1:
    case 2:
      return { kind: 'deploy' };
    case 3:
      return { kind: 'stop', away, clock };
    case 4:
      return { kind: 'kill', away, clock };
    case 5:
      return {
        kind: 'standStill',
        ms: random.pick([between(10, 500), between(3000, 30_000)]),
        isAsleep: random.happens(0.4),
      };
    case 6:
      return { kind: 'clock', by: random.pick([-86_400_000, -10_000, 10_000, 86_400_000]) };
    default:
      return {
        kind: 'store',
        what: random.pick<StoreTrouble>(
          store === 'redis'
            ? ['cut', 'cut', 'loseAnswers', 'refuse', 'evict', 'flush']
            : ['refuse', 'refuse', 'evict'],
        ),
        ms: random.pick([between(100, 2000), between(3000, 40_000)]),
      };
  }
}
