import { asObject } from './parameters';
import type { Reply } from './reply';

/** Which requests a fault applies to. */
interface RequestScope {
  /** Of this method only. */
  readonly method?: string;
  /** Only if the path, without the query string, contains this. */
  readonly path?: string;
  /** Only the next so many requests that it applies to; without end if absent. */
  readonly times?: number;
  /** True: the request is carried out first, and only its answer goes wrong. */
  readonly after?: boolean;
}

/** A fault in the answer of an endpoint. */
export type RequestFault = RequestScope &
  (
    | {
        /** An error in the form of the protocol. */
        readonly kind: 'status';
        readonly status: number;
        /** Its number; by default the status's own, if it has one. */
        readonly code?: string;
        readonly message?: string;
        /** Seconds, or a date as HTTP writes it. */
        readonly retryAfter?: number | string;
      }
    /** A page as a proxy sends it; status 502 unless another is given. */
    | { readonly kind: 'html'; readonly status?: number }
    /** The answer comes late by so many milliseconds; other faults still apply. */
    | { readonly kind: 'latency'; readonly ms: number }
    /** The connection breaks without an answer. */
    | { readonly kind: 'drop' }
    /** Status 200, and JSON that ends in the middle. */
    | { readonly kind: 'garbage' }
    /** A GET with a body is refused with 400, as Twilio does since 2026; it does not apply to other requests. */
    | { readonly kind: 'refuseGetBody' }
  );

/** Which callbacks a fault applies to. */
interface CallbackScope {
  /** Only the next so many callbacks; without end if absent. */
  readonly times?: number;
}

/** A fault in the callback of an answer. Several kinds may apply to one callback. */
export type CallbackFault = CallbackScope &
  (
    | {
        /** It is not sent. */
        readonly kind: 'callbackLost';
      }
    /** It comes later than usual by so many milliseconds, and nobody waits for it meanwhile. */
    | { readonly kind: 'callbackLate'; readonly ms: number }
    /** It comes so many times in all, one after another. */
    | { readonly kind: 'callbackRepeated'; readonly copies: number }
    /** It is signed with another key. */
    | { readonly kind: 'callbackForged' }
    /** Its signature is right, and it says the opposite of the answer. */
    | { readonly kind: 'callbackContradicts' }
  );

export type Fault = RequestFault | CallbackFault;

/** The parts of a request that matter to faults. */
export interface FaultTarget {
  readonly method: string;
  readonly path: string;
  readonly hasBody: boolean;
}

/** What a fault answers instead of the endpoint. */
export type FaultAnswer =
  | { readonly drop: true }
  | {
      readonly drop: false;
      readonly status: number;
      readonly type: string;
      readonly text: string;
      readonly headers: Readonly<Record<string, string>>;
    };

/** How a protocol writes the errors of faults. */
export interface ErrorForm {
  /** @param code - its number; undefined: it has none */
  readonly write: (status: number, code: string | undefined, message: string) => Reply;
  /** The number that a status has if no other is given. */
  readonly codeOf: (status: number) => string | undefined;
  /** The number of an error about the request itself. */
  readonly invalidRequest: string;
}

/** How a callback is sent. */
export interface CallbackCourse {
  readonly isLost: boolean;
  /** Milliseconds; undefined if it is not late. */
  readonly delay: number | undefined;
  /** How many times it is sent in all. */
  readonly copies: number;
  readonly isForged: boolean;
  readonly contradicts: boolean;
}

/** An error in a list of faults; its message names the member. */
export class FaultError extends Error {
  override readonly name = 'FaultError';
}

/** The longest latency, in milliseconds. */
const maximalLatency = 600_000;

type Member = readonly [description: string, isValid: (value: unknown) => boolean];

/** By name; members marked by a star are required. */
type Members = Readonly<Record<string, Member>>;

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isWhole = (min: number, max: number) => (value: unknown) =>
  typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;

const status: Member = ['a status from 200 to 599', isWhole(200, 599)];
const ms: Member = [`milliseconds from 0 to ${maximalLatency}`, isWhole(0, maximalLatency)];
const times: Member = ['a whole number from 1', isWhole(1, Number.MAX_SAFE_INTEGER)];

/** Every kind and its members, by whether it applies to requests or callbacks. */
const kinds: {
  readonly requests: Readonly<Record<RequestFault['kind'], Members>>;
  readonly callbacks: Readonly<Record<CallbackFault['kind'], Members>>;
} = {
  requests: {
    status: {
      'status*': status,
      code: [
        'a number as text, such as "60003"',
        (value) => typeof value === 'string' && /^\d+$/.test(value),
      ],
      message: ['a text', isText],
      retryAfter: ['seconds, or a date as text', (value) => isText(value) || isWhole(0, 1e9)(value)],
    },
    html: { status },
    latency: { 'ms*': ms },
    drop: {},
    garbage: {},
    refuseGetBody: {},
  },
  callbacks: {
    callbackLost: {},
    callbackLate: { 'ms*': ms },
    callbackRepeated: { 'copies*': ['a whole number from 2 to 10', isWhole(2, 10)] },
    callbackForged: {},
    callbackContradicts: {},
  },
};

/** The limits of a fault, in the same way. */
const scopes: Readonly<Record<keyof typeof kinds, Members>> = {
  requests: {
    method: ['a method such as "GET"', (value) => typeof value === 'string' && /^[A-Za-z]+$/.test(value)],
    path: ['a part of the path such as "/sms/"', isText],
    times,
    after: ['true or false', (value) => typeof value === 'boolean'],
  },
  callbacks: { times },
};

/** The description of faults in the index of the control interface. */
export const faultDescription = { requests: describeAll('requests'), callbacks: describeAll('callbacks') };

/** The members of each kind, with those of its scope. */
const membersOf: ReadonlyMap<string, Members> = new Map(
  (['requests', 'callbacks'] as const).flatMap((group) =>
    Object.entries(kinds[group]).map(([kind, members]) => [kind, { ...members, ...scopes[group] }] as const),
  ),
);

/** The current faults, and how often each still has to happen. */
export class Faults {
  private list: { fault: Fault; left: number }[] = [];

  /** The faults that can still happen; `times` counts down. */
  get current(): Fault[] {
    return this.list.map(({ fault, left }) => (Number.isFinite(left) ? { ...fault, times: left } : fault));
  }

  /**
   * Replaces all faults.
   *
   * @param value - a list of {@link Fault}, not yet checked
   * @throws FaultError
   */
  replace(value: unknown): void {
    if (!Array.isArray(value)) throw new FaultError('"faults" has to be a list.');
    if (value.length > 100) throw new FaultError('"faults" has to be a list of at most 100.');
    this.list = value.map((entry: unknown, index) => {
      const fault = readFault(entry, `faults[${index}]`);
      return { fault, left: fault.times ?? Infinity };
    });
  }

  clear(): void {
    this.list = [];
  }

  /** The faults that apply to a request, in order: latencies up to the first that ends it. Counts them as happened. */
  takeForRequest(target: FaultTarget): RequestFault[] {
    const taken: RequestFault[] = [];
    for (const entry of this.list) {
      if (isOfCallbacks(entry.fault) || !appliesTo(entry.fault, target)) continue;
      entry.left -= 1;
      taken.push(entry.fault);
      if (entry.fault.kind !== 'latency') break;
    }
    this.forgetSpent();
    return taken;
  }

  /** The faults that apply to a callback: the first of each kind, up to one that loses it. Counts them as happened. */
  takeForCallback(): CallbackFault[] {
    const taken: CallbackFault[] = [];
    for (const entry of this.list) {
      const { fault } = entry;
      if (!isOfCallbacks(fault) || taken.some(({ kind }) => kind === fault.kind)) continue;
      entry.left -= 1;
      taken.push(fault);
      if (fault.kind === 'callbackLost') break;
    }
    this.forgetSpent();
    return taken;
  }

  private forgetSpent(): void {
    this.list = this.list.filter(({ left }) => left > 0);
  }
}

/** The answer of a fault; a latency has none. */
export function answerOf(fault: Exclude<RequestFault, { kind: 'latency' }>, errors: ErrorForm): FaultAnswer {
  switch (fault.kind) {
    case 'drop':
      return { drop: true };
    case 'garbage':
      return text(200, 'application/json', '{"success":tr');
    case 'html':
      return text(
        fault.status ?? 502,
        'text/html',
        `<html><head><title>Simulator: ${fault.status ?? 502}</title></head>` +
          '<body><h1>The Authy simulator was told to answer with this page</h1></body></html>',
      );
    case 'refuseGetBody':
      return json(errors.write(400, errors.invalidRequest, 'Simulator: a GET request must not have a body.'));
    case 'status': {
      const message = fault.message ?? `Simulator: told to answer with status ${fault.status}.`;
      const code = fault.code ?? errors.codeOf(fault.status);
      return json(errors.write(fault.status, code, message), retryAfter(fault.retryAfter));
    }
  }
}

/** How a callback with these faults is sent; at most one of each kind. */
export function courseOf(faults: readonly CallbackFault[]): CallbackCourse {
  const find = <K extends CallbackFault['kind']>(kind: K) =>
    faults.find((fault): fault is Extract<CallbackFault, { kind: K }> => fault.kind === kind);
  return {
    isLost: find('callbackLost') !== undefined,
    delay: find('callbackLate')?.ms,
    copies: find('callbackRepeated')?.copies ?? 1,
    isForged: find('callbackForged') !== undefined,
    contradicts: find('callbackContradicts') !== undefined,
  };
}

function retryAfter(value: number | string | undefined): Record<string, string> {
  return value === undefined ? {} : { 'Retry-After': String(value) };
}

function json({ status, body }: Reply, headers: Readonly<Record<string, string>> = {}): FaultAnswer {
  return { ...text(status, 'application/json', JSON.stringify(body)), headers };
}

function text(status: number, type: string, content: string): Extract<FaultAnswer, { drop: false }> {
  return { drop: false, status, type: `${type}; charset=utf-8`, text: content, headers: {} };
}

function isOfCallbacks(fault: Fault): fault is CallbackFault {
  return Object.hasOwn(kinds.callbacks, fault.kind);
}

function appliesTo(fault: RequestFault, { method, path, hasBody }: FaultTarget): boolean {
  if (fault.method !== undefined && fault.method.toUpperCase() !== method) return false;
  if (fault.path !== undefined && !path.includes(fault.path)) return false;
  return fault.kind !== 'refuseGetBody' || (method === 'GET' && hasBody);
}

function readFault(value: unknown, path: string): Fault {
  const entry = asObject(value);
  if (entry === undefined) throw new FaultError(`${path} has to be an object.`);
  const kind = typeof entry['kind'] === 'string' ? entry['kind'] : '';
  const members = membersOf.get(kind);
  if (members === undefined) {
    throw new FaultError(`${path}.kind has to be one of ${[...membersOf.keys()].join(', ')}.`);
  }
  for (const [name, [description, isValid]] of Object.entries(members)) {
    const member = name.replace('*', '');
    const given = entry[member];
    if (given === undefined && name === member) continue;
    if (!isValid(given)) throw new FaultError(`${path}.${member} has to be ${description}.`);
  }
  const known = ['kind', ...Object.keys(members).map((name) => name.replace('*', ''))];
  const unknown = Object.keys(entry).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new FaultError(`${path}.${unknown} is not known; a fault of kind ${kind} has ${known.join(', ')}.`);
  }
  // Every member has been checked against the tables above.
  return { ...entry, kind } as Fault;
}

function describeAll(group: keyof typeof kinds): object {
  const described = Object.entries(kinds[group]).map(([kind, members]) => [kind, describe(members)]);
  return { kinds: Object.fromEntries(described) as object, scope: describe(scopes[group]) };
}

function describe(members: Members): Record<string, string> {
  return Object.fromEntries(
    Object.entries(members).map(([name, [description]]) => [
      name.replace('*', ''),
      name.endsWith('*') ? description : `${description}; optional`,
    ]),
  );
}
