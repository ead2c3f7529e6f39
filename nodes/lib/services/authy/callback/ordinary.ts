import { limits } from './bounds';
import { encode, type Params, scalarText } from './signature';

/** What is ordinary. Authy's own callbacks are 4 deep, with up to 15 names in an object, and 2.5 KB when written. */
const ordinary = { depth: 7, names: 64, nameLength: 64, pathLength: 256, elements: 10, bytes: 16_384 };

/**
 * Where the string is written; what was there before is of no interest. One buffer for all calls: with one of its own for
 * each, or with text made of it, a callback takes about a tenth longer.
 */
const written = Buffer.alloc(ordinary.bytes);

/** Instead of a position in it: the tree is out of the ordinary. */
const unusual = -1;

/** Of the tree that is being written, counted as `outOfBounds` does. */
let members = 0;
let size = 0;

/**
 * The canonical parameter string of a callback as Authy sends them, in one pass that keeps within bounds: bytes are
 * written as the tree is walked, and what follows from the names is kept for the next callback, which has the same.
 *
 * Why a second one: by `outOfBounds` and `canonicalParams` alone, a callback takes 2.3 times as long to verify. One pass
 * that writes bytes and remembers nothing takes 1.3 times as long, as it sorts and escapes the same names each time.
 * `test/attack/canonical_spec.ts` holds this to what those two say.
 *
 * There is no rule in here that is not in `canonicalParams` and `outOfBounds`. What is out of the ordinary or in doubt
 * is left to those: brackets in names, lists of lists or of numbers, objects of nothing but empty ones, half
 * characters, more than fits.
 *
 * @param maxSize - how many characters names and texts may have in all
 * @returns the bytes, until the next call, of the string that `canonicalParams` returns, where `outOfBounds` has
 *   nothing against the tree; undefined where they have to be asked
 */
export function ordinaryCanonical(params: Params, maxSize: number): Uint8Array | undefined {
  members = 0;
  size = 0;
  const end = writeObject(params, Object.keys(params), root, 0);
  if (end === unusual || members > limits.members || size > maxSize) return undefined;
  // Each pair has an & behind it, the last one too.
  return written.subarray(0, Math.max(0, end - 1));
}

/** Where a value stands, callback after callback. */
class Place {
  /** What is written before a value: `a%5Bb%5D=`. */
  readonly head: Uint8Array;
  /** What follows from the names of the last object that stood here. */
  layout: Layout | undefined;
  private elements: Place | undefined;

  /**
   * @param path - its encoded name, `a%5Bb%5D`; empty at the top
   * @param isSorted - as Rails has it: what lies below an array keeps its order
   */
  constructor(
    readonly path: string,
    readonly depth: number,
    readonly isSorted: boolean,
  ) {
    this.head = Buffer.from(`${path}=`);
  }

  /** Where the elements stand, if it is a list. */
  get element(): Place {
    return (this.elements ??= new Place(`${this.path}%5B%5D`, this.depth + 1, false));
  }
}

interface Layout {
  /** As they came. */
  readonly names: readonly string[];
  /** Of all of them together. */
  readonly length: number;
  /** As they are written. */
  readonly members: readonly { readonly name: string; readonly place: Place }[];
}

/** How many layouts are made before all are forgotten: whoever sends other names each time cannot fill the memory. */
const maxLayouts = 64;
let layouts = 0;
let root = new Place('', 0, true);

function layoutFor(names: readonly string[], place: Place): Layout | undefined {
  const { layout } = place;
  if (layout !== undefined && isSame(layout.names, names)) return layout;
  const made = newLayout(names, place);
  // What is unusual is not kept, and must not push out what is.
  if (made === undefined) return undefined;
  if (layouts === maxLayouts) {
    layouts = 0;
    root = new Place('', 0, true);
  }
  layouts += 1;
  return (place.layout = made);
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) return false;
  for (let index = 0; index < some.length; index++) if (some[index] !== others[index]) return false;
  return true;
}

function newLayout(names: readonly string[], { path, depth, isSorted }: Place): Layout | undefined {
  if (depth > ordinary.depth || names.length > ordinary.names || !names.every(isOrdinary)) return undefined;
  const isTop = depth === 0;
  const inOrder = names.map((name) => {
    const memberPath = isTop ? encode(name) : `${path}%5B${encode(name)}%5D`;
    return { name, place: new Place(memberPath, depth + 1, isSorted) };
  });
  if (inOrder.some(({ place }) => place.path.length > ordinary.pathLength)) return undefined;
  if (isSorted) {
    inOrder.sort(({ place: a }, { place: b }) => (a.path < b.path ? -1 : 1));
    if (isTop && inOrder.some(({ place }, index) => isInDoubt(place.path, inOrder[index + 1]?.place.path))) {
      return undefined;
    }
  }
  return { names, length: names.join('').length, members: inOrder };
}

function isOrdinary(name: string): boolean {
  return name !== '' && name.length <= ordinary.nameLength && !/[[\]]/.test(name) && name.isWellFormed();
}

/** Finished texts are sorted, and at the top the name alone does not say whether `a=` or `a%5B` is before `a1=`. */
function isInDoubt(path: string, next: string | undefined): boolean {
  return next !== undefined && next.startsWith(path) && next.charAt(path.length) < '=';
}

// Each of these takes the position where to write and returns the one behind what was written, or `unusual`.

function writeObject(object: Params, names: readonly string[], place: Place, start: number): number {
  const layout = layoutFor(names, place);
  if (layout === undefined) return unusual;
  members += names.length;
  size += layout.length;
  let at = start;
  for (const member of layout.members) {
    const value = object[member.name];
    at =
      typeof value === 'object' && value !== null
        ? writeContainer(value, member.place, at)
        : writePair(member.place, value, at);
    if (at === unusual) return unusual;
  }
  // An object of nothing but empty ones leaves its separator.
  return at === start && names.length > 0 ? unusual : at;
}

function writeContainer(value: object, place: Place, at: number): number {
  const names = Object.keys(value);
  if (Array.isArray(value)) return writeArray(value, names.length, place, at);
  return names.length === 0 ? at : writeObject(value as Params, names, place, at);
}

function writeArray(elements: readonly unknown[], names: number, place: Place, start: number): number {
  // A list that was parsed elsewhere might have gaps, or other members.
  if (names !== elements.length || names > ordinary.elements) return unusual;
  members += names;
  // The names of elements are one digit each.
  size += names;
  let at = start;
  for (const element of elements) {
    if (Array.isArray(element) || typeof element === 'number') return unusual;
    if (typeof element === 'object' && element !== null) {
      const elementNames = Object.keys(element);
      if (elementNames.length === 0) return unusual;
      at = writeObject(element as Params, elementNames, place.element, at);
    } else {
      at = writePair(place.element, element, at);
    }
    if (at === unusual) return unusual;
  }
  return at;
}

function writePair({ head }: Place, value: unknown, start: number): number {
  const text = scalarText(value);
  if (typeof value === 'string') size += value.length;
  if (start + head.length + 3 * text.length >= ordinary.bytes) return unusual;
  written.set(head, start);
  const at = writeText(text, start + head.length);
  if (at === unusual) return unusual;
  written[at] = ampersand;
  return at + 1;
}

const [ampersand, percent] = [0x26, 0x25];

/** By code: what is written of it; 0 where it is written as a percent sign and its number. */
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
  return at + encoded.length < ordinary.bytes ? at + written.write(encoded, at, 'latin1') : unusual;
}
