import { invalidInput } from '../contract/errors';

/** The largest size of one message in a store, in characters of JSON. */
const longest = 64 * 1024;

/** How deep a message may nest. */
const deepest = 100;

/** These belong to a connection of this process, and stay with the message while it lives. */
const leftOut = ['req', 'res'];

/**
 * Writes a message as text that any context store can keep, and {@link readMessage} reads back as it was: JSON, with
 * a mark for values that JSON cannot hold (Buffer, Date, BigInt, undefined in a list, and numbers such as NaN). `req`
 * and `res` are left out.
 *
 * @throws AuthyError - `AUTHY_INVALID_INPUT` naming the property, if something cannot be kept: a socket or another
 *   object of a class, a function, a value that contains itself, or more than 64 KiB
 */
export function writeMessage(message: object): string {
  const budget = { left: longest };
  const members = Object.entries(message)
    .filter(([name]) => !leftOut.includes(name))
    .map(([name, value]) => [name, plain(value, { path: `msg.${name}`, above: [message], budget })] as const);
  const text = JSON.stringify(Object.fromEntries(members));
  if (text.length > longest) throw tooLarge();
  return inOnePiece(text);
}

/** Joins the pieces in which JSON.stringify leaves a text: they take more memory. */
function inOnePiece(text: string): string {
  return Buffer.from(text).toString();
}

/** The message that {@link writeMessage} wrote. */
export function readMessage(text: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(JSON.parse(text) as object).map(([name, value]) => [name, original(value)]),
  );
}

interface Place {
  /** As a person would write it in a change node. */
  readonly path: string;
  /** The objects around it. */
  readonly above: readonly object[];
  readonly budget: { left: number };
}

/** The marks: each is the only member of an object. */
const marks = {
  $buffer: (value: unknown) => Buffer.from(value as string, 'base64'),
  $date: (value: unknown) => new Date(value as string),
  $bigint: (value: unknown) => BigInt(value as string),
  $number: (value: unknown) => Number(value),
  $undefined: () => undefined,
  // An object of the message that looks like one of these.
  $object: (value: unknown) => members(value as object, original),
} as const;

function plain(value: unknown, place: Place): unknown {
  switch (typeof value) {
    case 'string':
      spend(place, value.length);
      return value;
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $number: Object.is(value, -0) ? '-0' : String(value) };
    case 'bigint':
      return { $bigint: String(value) };
    case 'undefined':
      return { $undefined: true };
    case 'object':
      return value === null ? null : plainObject(value, place);
    default:
      throw notStorable(place, `a ${typeof value}`);
  }
}

function plainObject(value: object, place: Place): unknown {
  if (value instanceof Uint8Array && Buffer.isBuffer(value)) {
    spend(place, Math.ceil(value.length / 3) * 4);
    return { $buffer: value.toString('base64') };
  }
  if (value instanceof Date) return { $date: Number.isNaN(value.getTime()) ? '' : value.toISOString() };
  if (place.above.includes(value)) throw notStorable(place, 'a value that contains itself');
  if (place.above.length > deepest) throw notStorable(place, `nested deeper than ${deepest}`);
  const inside = (name: string): Place => ({ ...place, path: name, above: [...place.above, value] });
  if (Array.isArray(value)) {
    spend(place, value.length);
    return value.map((item: unknown, index) => plain(item, inside(`${place.path}[${index}]`)));
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  // A plain object of another realm, such as a function node's, counts as plain.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw notStorable(place, `a ${value.constructor.name || 'special object'}`);
  }
  const copy = Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => {
        spend(place, name.length);
        return [name, plain(member, inside(`${place.path}.${name}`))];
      }),
  );
  return markOf(copy) === undefined ? copy : { $object: copy };
}

function original(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(original);
  const mark = markOf(value);
  return mark === undefined ? members(value, original) : marks[mark](Object.values(value)[0]);
}

function members(object: object, change: (value: unknown) => unknown): object {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));
}

function markOf(object: object): keyof typeof marks | undefined {
  const [name, ...others] = Object.keys(object);
  return others.length === 0 && name !== undefined && Object.hasOwn(marks, name)
    ? (name as keyof typeof marks)
    : undefined;
}

/** Stops as soon as the text is too long, before all of it is written. */
function spend({ budget }: Place, characters: number): void {
  budget.left -= characters;
  if (budget.left < 0) throw tooLarge();
}

function tooLarge(): Error {
  return invalidInput(
    'msg',
    `is larger than ${longest / 1024} KiB, more than is kept while the answer is awaited. ` +
      'Remove what is not needed before this node, for example with a change node.',
  );
}

function notStorable({ path }: Place, what: string): Error {
  return invalidInput(
    path,
    `is ${what}, which cannot be kept while the answer is awaited. ` +
      'Remove it before this node, for example with a change node.',
  );
}
