import { limits } from './bounds';
import { encode, type Params, scalarText } from './signature';

/** The bounds of a usual callback. Authy's own are 4 deep, with up to 15 names in an object, and 2.5 KB when written. */
const usual = { depth: 7, names: 64, nameLength: 64, pathLength: 256, elements: 10, bytes: 16_384 };

/** One buffer for the strings of all calls: with a buffer for each call, or with text, a callback takes a tenth longer. */
const written = Buffer.alloc(usual.bytes);

/** In position of a position in the buffer: the callback is not a usual one. */
const unusual = -1;

/** The counts of the tree that is being written, as `outOfBounds` counts. */
let members = 0;
let size = 0;

/**
 * The canonical parameter string of a usual callback, in one pass that also checks its bounds. It writes bytes while it
 * walks the tree. Callbacks have the same names again and again, so it keeps the sorted and encoded names for the next one.
 *
 * Why there is a second implementation: with `outOfBounds` and `canonicalParams` alone, verifying a callback takes 2.3
 * times as long. One pass that keeps nothing takes 1.3 times as long, as it sorts and encodes the same names each time.
 * `test/attack/canonical_spec.ts` holds this one to the results of those two.
 *
 * It has no rule of its own. It leaves to those two whatever is rare or ambiguous: brackets in names, lists of lists or of
 * numbers, objects that hold only empty objects, unpaired surrogates, more than the bounds.
 *
 * @param maxSize - how many characters names and texts may have in all
 * @returns the bytes of the string that `canonicalParams` returns, valid until the next call; undefined if the callback is
 *   not a usual one, or `outOfBounds` would refuse it
 */
export function quickCanonical(params: Params, maxSize: number): Uint8Array | undefined {
  members = 0;
  size = 0;
  const end = writeObject(params, Object.keys(params), root, 0);
  if (end === unusual || members > limits.members || size > maxSize) return undefined;
  // Each pair has an & behind it, the last one too.
  return written.subarray(0, Math.max(0, end - 1));
}

/** A position in the tree of names, the same in each callback. */
class Position {
  /** The encoded name and the sign before a value: `a%5Bb%5D=`. */
  readonly head: Uint8Array;
  /** The names of the last object in this position. */
  layout: Layout | undefined;
  private elements: Position | undefined;

  /**
   * @param path - its encoded name, `a%5Bb%5D`; empty at the top
   * @param isSorted - false below an array: Rails keeps the order there
   */
  constructor(
    readonly path: string,
    readonly depth: number,
    readonly isSorted: boolean,
  ) {
    this.head = Buffer.from(`${path}=`);
  }

  /** The position of the elements, if it is a list. */
  get element(): Position {
    return (this.elements ??= new Position(`${this.path}%5B%5D`, this.depth + 1, false));
  }
}

interface Layout {
  /** In the order in which they came. */
  readonly names: readonly string[];
  /** The characters of all names together. */
  readonly length: number;
  /** In the order in which they are written. */
  readonly members: readonly { readonly name: string; readonly position: Position }[];
}

/** After so many layouts all are forgotten: a sender who changes the names each time cannot fill the memory. */
const maxLayouts = 64;
let layouts = 0;
let root = new Position('', 0, true);

function layoutFor(names: readonly string[], position: Position): Layout | undefined {
  const { layout } = position;
  if (layout !== undefined && isSame(layout.names, names)) return layout;
  const made = newLayout(names, position);
  // The names of an unusual callback must not push out the usual ones.
  if (made === undefined) return undefined;
  if (layouts === maxLayouts) {
    layouts = 0;
    root = new Position('', 0, true);
  }
  layouts += 1;
  return (position.layout = made);
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) return false;
  for (let index = 0; index < some.length; index++) if (some[index] !== others[index]) return false;
  return true;
}

function newLayout(names: readonly string[], { path, depth, isSorted }: Position): Layout | undefined {
  if (depth > usual.depth || names.length > usual.names || !names.every(isUsual)) return undefined;
  const isTop = depth === 0;
  const inOrder = names.map((name) => {
    const memberPath = isTop ? encode(name) : `${path}%5B${encode(name)}%5D`;
    return { name, position: new Position(memberPath, depth + 1, isSorted) };
  });
  if (inOrder.some(({ position }) => position.path.length > usual.pathLength)) return undefined;
  if (isSorted) {
    inOrder.sort(({ position: a }, { position: b }) => (a.path < b.path ? -1 : 1));
    const paths = inOrder.map(({ position }) => position.path);
    if (isTop && paths.some((one, index) => isAmbiguous(one, paths[index + 1]))) return undefined;
  }
  return { names, length: names.join('').length, members: inOrder };
}

function isUsual(name: string): boolean {
  return name !== '' && name.length <= usual.nameLength && !/[[\]]/.test(name) && name.isWellFormed();
}

/** Finished texts are sorted, and at the top the name alone does not say whether `a=` or `a%5B` is before `a1=`. */
function isAmbiguous(path: string, next: string | undefined): boolean {
  return next !== undefined && next.startsWith(path) && next.charAt(path.length) < '=';
}

// Each of these begins to write at an index of the buffer and returns the index behind the last byte, or `unusual`.

function writeObject(object: Params, names: readonly string[], position: Position, start: number): number {
  const layout = layoutFor(names, position);
  if (layout === undefined) return unusual;
  members += names.length;
  size += layout.length;
  let at = start;
  for (const member of layout.members) {
    const value = object[member.name];
    at =
      typeof value === 'object' && value !== null
        ? writeContainer(value, member.position, at)
        : writePair(member.position, value, at);
    if (at === unusual) return unusual;
  }
  // An object that holds only empty objects leaves its separator.
  return at === start && names.length > 0 ? unusual : at;
}

function writeContainer(value: object, position: Position, at: number): number {
  const names = Object.keys(value);
  if (Array.isArray(value)) return writeArray(value, names.length, position, at);
  return names.length === 0 ? at : writeObject(value as Params, names, position, at);
}

function writeArray(elements: readonly unknown[], names: number, position: Position, start: number): number {
  // A list from another parser might have gaps, or further members.
  if (names !== elements.length || names > usual.elements) return unusual;
  members += names;
  // The names of elements are one digit each.
  size += names;
  let at = start;
  for (const element of elements) {
    if (Array.isArray(element) || typeof element === 'number') return unusual;
    if (typeof element === 'object' && element !== null) {
      const elementNames = Object.keys(element);
      if (elementNames.length === 0) return unusual;
      at = writeObject(element as Params, elementNames, position.element, at);
    } else {
      at = writePair(position.element, element, at);
    }
    if (at === unusual) return unusual;
  }
  return at;
}

function writePair({ head }: Position, value: unknown, start: number): number {
  const text = scalarText(value);
  if (typeof value === 'string') size += value.length;
  if (start + head.length + 3 * text.length >= usual.bytes) return unusual;
  written.set(head, start);
  const at = writeText(text, start + head.length);
  if (at === unusual) return unusual;
  written[at] = ampersand;
  return at + 1;
}

const [ampersand, percent] = [0x26, 0x25];

/** By character code: the byte that is written; 0 if it is written as a percent sign and its number. */
const plain = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  return encode(character) === character ? code : code === 0x20 ? 0x2b : 0;
});

const hexDigits = Array.from('0123456789ABCDEF', (digit) => digit.charCodeAt(0));

function writeText(text: string, start: number): number {
  let at = start;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 127) return writeEncoded(text.slice(index), at);
    const byte = plain[code] as number;
    if (byte !== 0) {
      written[at++] = byte;
    } else {
      written[at] = percent;
      written[at + 1] = hexDigits[code >> 4] as number;
      written[at + 2] = hexDigits[code & 15] as number;
      at += 3;
    }
  }
  return at;
}

function writeEncoded(text: string, at: number): number {
  if (!text.isWellFormed()) return unusual;
  const encoded = encode(text);
  return at + encoded.length < usual.bytes ? at + written.write(encoded, at, 'latin1') : unusual;
}
