import { types } from 'node:util';
import { invalidInput } from '../contract/errors';

/** The largest size of one message in a store, in characters of JSON. */
const longest = 64 * 1024;

/** How deep a message may nest. */
const deepest = 100;

/** These belong to a connection of this process, and stay with the message while it lives. */
const leftOut = ['req', 'res'];

/**
 * Writes a message as text that any store can keep, and {@link readMessage} reads back as it was: JSON, with a mark for values
 * that JSON cannot hold (Buffer, Date, BigInt, Map, Set, Error, typed arrays, undefined in a list, and numbers such as NaN).
 * `req` and `res` are left out. Not by `node:v8`: others may be able to write into a store, and its `deserialize` is not made
 * for what they write.
 *
 * A message with one of {@link newerMarks} is a list of the format's version and the message: in a message that an earlier
 * version wrote, an object that looks like such a mark is one.
 *
 * @throws AuthyError - `AUTHY_INVALID_INPUT` naming the property, if something cannot be kept: a socket or another
 *   object of a class, a function, a value that contains itself, or more than 64 KiB
 */
export function writeMessage(message: object): string {
  const writing = { left: longest, hasNewer: false };
  const members = Object.entries(message)
    .filter(([name]) => !leftOut.includes(name))
    .map(
      ([name, value]) => [name, plain(value, { path: `msg.${name}`, above: [message], writing })] as const,
    );
  const written = Object.fromEntries(members);
  const text = JSON.stringify(writing.hasNewer ? [version, written] : written);
  if (text.length > longest) throw tooLarge();
  return inOnePiece(text);
}

/** Stands for a message of which there is no text: {@link readMessage} refuses it. */
export const onlyInMemory = '[0]';

/** How much a message counts that is kept as this text, in characters. One without a text counts as the largest. */
export function sizeOf(text: string): number {
  return text === onlyInMemory ? longest : text.length;
}

/** Joins the pieces in which JSON.stringify leaves a text: they take more memory. */
function inOnePiece(text: string): string {
  return Buffer.from(text).toString();
}

/** The message that {@link writeMessage} wrote. @throws Error - it did not write this */
export function readMessage(text: string): Record<string, unknown> {
  const read = JSON.parse(text) as object;
  const [written, marks] = Array.isArray(read) ? [newest(read), newerMarks] : [read, olderMarks];
  return members(written, (value) => original(value, marks));
}

/** The format that has {@link newerMarks}. */
const version = 2;

function newest([found, written]: readonly unknown[]): object {
  if (found !== version || typeof written !== 'object' || written === null)
    throw new Error('its message is of a version that is not known here');
  return written;
}

interface Place {
  /** As a person would write it in a change node. */
  readonly path: string;
  /** The objects around it. */
  readonly above: readonly object[];
  /** How many characters it may still have, and whether it has one of {@link newerMarks}. */
  readonly writing: { left: number; hasNewer: boolean };
}

/** What a mark stands for. Each mark is the only member of an object. */
type Marks = Readonly<Record<string, (value: unknown, read: (value: unknown) => unknown) => unknown>>;

/** The marks that there have always been. */
const olderMarks: Marks = {
  $buffer: (value) => Buffer.from(value as string, 'base64'),
  $date: (value) => new Date(value as string),
  $bigint: (value) => BigInt(value as string),
  $number: (value) => Number(value),
  $undefined: () => undefined,
  // An object of the message that looks like one of these.
  $object: (value, read) => members(value as object, read),
};

const newerMarks: Marks = {
  ...olderMarks,
  $map: (value, read) => new Map((value as [unknown, unknown][]).map(([key, one]) => [read(key), read(one)])),
  $set: (value, read) => new Set((value as unknown[]).map(read)),
  $typed: (value) => typedFrom(value as [string, string]),
  $error: (value, read) => errorFrom(members(value as object, read)),
};

/** Errors and typed arrays are made by their names, of which no other is looked up. */
const errors: Readonly<Record<string, ErrorConstructor>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};
const typedArrays = {
  BigInt64Array,
  BigUint64Array,
  Float32Array,
  Float64Array,
  Int16Array,
  Int32Array,
  Int8Array,
  Uint16Array,
  Uint32Array,
  Uint8Array,
  Uint8ClampedArray,
} as const;

function typedFrom([name, base64]: readonly [string, string]): unknown {
  // A copy: Node.js keeps short buffers in one piece of memory.
  const { buffer } = new Uint8Array(Buffer.from(base64, 'base64'));
  if (name === 'ArrayBuffer') return buffer;
  if (!Object.hasOwn(typedArrays, name)) throw new Error('it holds a typed array that is not known here');
  return new typedArrays[name as keyof typeof typedArrays](buffer);
}

/** An error of a class of its own comes back as an `Error` with its name. */
function errorFrom(facts: Readonly<Record<string, unknown>>): Error {
  const { name } = facts;
  const known = typeof name === 'string' && Object.hasOwn(errors, name) ? errors[name] : undefined;
  const error = new (known ?? Error)();
  for (const [fact, value] of Object.entries(facts)) {
    if (fact === 'name' && known !== undefined) continue;
    const enumerable = !errorFacts.includes(fact);
    Object.defineProperty(error, fact, { value, enumerable, writable: true, configurable: true });
  }
  return error;
}

/** What an error has beside its own properties. */
const errorFacts: readonly string[] = ['name', 'message', 'stack', 'cause'];

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
  if (types.isDate(value)) return { $date: Number.isNaN(value.getTime()) ? '' : value.toISOString() };
  // Before anything looks at each part of what may be far too large.
  if (types.isTypedArray(value) || types.isArrayBuffer(value))
    spend(place, Math.ceil(value.byteLength / 3) * 4);
  if (types.isMap(value) || types.isSet(value)) spend(place, value.size);
  if (
    (types.isTypedArray(value) || types.isArrayBuffer(value)) &&
    isOf(value, [...Object.keys(typedArrays), 'ArrayBuffer'])
  ) {
    const bytes = types.isArrayBuffer(value)
      ? Buffer.from(value)
      : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    place.writing.hasNewer = true;
    return { $typed: [value.constructor.name, bytes.toString('base64')] };
  }
  if (place.above.includes(value)) throw notStorable(place, 'a value that contains itself');
  if (place.above.length > deepest) throw notStorable(place, `nested deeper than ${deepest}`);
  const inside = (name: string): Place => ({ ...place, path: name, above: [...place.above, value] });
  const written = (object: object): object =>
    Object.fromEntries(
      Object.entries(object)
        .filter(([, member]) => member !== undefined)
        .map(([name, member]) => {
          spend(place, name.length);
          return [name, plain(member, inside(`${place.path}.${name}`))];
        }),
    );
  if (Array.isArray(value)) {
    spend(place, value.length);
    return value.map((item: unknown, index) => plain(item, inside(`${place.path}[${index}]`)));
  }
  if (types.isMap(value) && isOf(value, ['Map'])) {
    place.writing.hasNewer = true;
    const entry = (one: unknown, index: number): unknown =>
      plain(one, inside(`${place.path}, entry ${index + 1}`));
    return { $map: [...value].map((pair, index) => pair.map((one: unknown) => entry(one, index))) };
  }
  if (types.isSet(value) && isOf(value, ['Set'])) {
    place.writing.hasNewer = true;
    return { $set: [...value].map((one, index) => plain(one, inside(`${place.path}, entry ${index + 1}`))) };
  }
  if (types.isNativeError(value)) {
    place.writing.hasNewer = true;
    return { $error: written(factsOf(value)) };
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  // A plain object of another realm, such as a function node's, counts as plain.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw notStorable(place, `a ${value.constructor.name || 'special object'}`);
  }
  const copy = written(value);
  return markOf(copy, newerMarks) === undefined ? copy : { $object: copy };
}

/** Whether an object is of one of these classes itself: one of another class has more than they hold. */
function isOf(value: object, names: readonly string[]): boolean {
  return names.includes(value.constructor.name) && Object.keys(value).every((name) => /^[0-9]+$/.test(name));
}

function factsOf(error: Error): object {
  const facts = errorFacts.map(
    (name) => [name, (error as unknown as Record<string, unknown>)[name]] as const,
  );
  return Object.fromEntries([...facts, ...Object.entries(error)]);
}

function original(value: unknown, marks: Marks): unknown {
  const read = (inner: unknown): unknown => original(inner, marks);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(read);
  const mark = markOf(value, marks);
  return mark === undefined ? members(value, read) : mark(Object.values(value)[0], read);
}

function members(object: object, change: (value: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));
}

function markOf(object: object, marks: Marks): Marks[string] | undefined {
  const [name, ...others] = Object.keys(object);
  return others.length === 0 && name !== undefined && Object.hasOwn(marks, name) ? marks[name] : undefined;
}

/** Stops as soon as the text is too long, before all of it is written. */
function spend({ writing }: Place, characters: number): void {
  writing.left -= characters;
  if (writing.left < 0) throw tooLarge();
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
