import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import should from 'should';
import { outOfBounds } from '../../nodes/lib/services/authy/callback/bounds';
import * as quick from '../../nodes/lib/services/authy/callback/quick-canonical';
import { canonicalParams, type Params } from '../../nodes/lib/services/authy/callback/signature';
import { cases } from '../support/runs';
import { callbackAnswer } from '../support/signed_callback';
import { trees } from '../support/trees';

/** A few names that collide: as equal names, as prefixes of each other, and in orders that encoding changes. */
const colliding = [
  'a',
  'b',
  'B',
  'a1',
  'a-b',
  'a.b',
  'aB',
  'a b',
  'a~',
  '_',
  'Bank',
  'Bank account',
  'status',
  'é',
];

/** Names that have caused trouble elsewhere, or that are at the limit of what `quick-canonical.ts` handles. */
const odd = ['', 'a]', '[a', '[', '][', 'a[b]', 'b][a', '[]', '%5B', '%', 'a&b=c', '=', '+', '12', '0', '__proto__',
  'length', 'toString', '😀', '\uffee', '\ud800', 'a\udc00', ...[63, 64, 65].map((length) => 'n'.repeat(length)),
  'é'.repeat(40), 'é'.repeat(64)]; // prettier-ignore

const usualName = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...colliding) },
  { weight: 1, arbitrary: fc.stringMatching(/^[^[\]]{1,5}$/u).filter((key) => key.isWellFormed()) },
);
const anyName = fc.oneof(
  { weight: 6, arbitrary: usualName },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
  { weight: 1, arbitrary: fc.constantFrom(...odd) },
);

const usualText = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 12 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
  { weight: 2, arbitrary: fc.constantFrom('', ' ', "!'()*~-_.", 'Bogotá', '東京', '😀', '\ufffd', '%', 'x y') },
); // prettier-ignore
const number = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(-0, 1e21, 12345678901234567890n));
const noNumber = fc.oneof(usualText, fc.boolean(), fc.constantFrom(null, undefined));
const codeUnit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));
const anyScalar = fc.oneof(
  { weight: 4, arbitrary: fc.oneof(noNumber, number) },
  { weight: 1, arbitrary: fc.string({ unit: codeUnit, maxLength: 6 }) },
);

const { members: anything } = trees(anyName, anyScalar, { maxDepth: 6, maxKeys: 5, maxLength: 3 });

/** Trees that are almost never left to the plain functions. */
const { members: usual } = fc.letrec<{ value: unknown; members: Params }>((tie) => ({
  members: fc.dictionary(usualName, tie('value'), { minKeys: 1, maxKeys: 5 }),
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    { weight: 12, arbitrary: fc.oneof(noNumber, number) },
    { weight: 8, arbitrary: tie('members') },
    { weight: 4, arbitrary: fc.array(fc.oneof(noNumber, tie('members')), { maxLength: 3 }) },
    { weight: 1, arbitrary: fc.constant({}) },
  ),
}));

const named = (count: number, prefix: string, value: unknown): Params =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${100 + index}`, value]));

/** Values at one of the limits: of a callback, or of what `quick-canonical.ts` handles. */
const atLimit: fc.Arbitrary<unknown> = fc.oneof(
  fc
    .tuple(fc.constantFrom(6, 7, 8, 31, 32, 33), fc.boolean(), fc.constantFrom('x', {}, [], null))
    .map(([levels, areLists, inner]) => {
      let value: unknown = inner;
      for (let level = 0; level < levels; level++) value = areLists ? [value] : { a: value };
      return value;
    }),
  fc
    .tuple(fc.integer({ min: 8, max: 12 }), fc.oneof(noNumber, usual))
    .map(([length, value]) => Array.from({ length }, () => value)),
  fc.tuple(fc.integer({ min: 62, max: 66 }), noNumber).map(([count, value]) => named(count, 'n', value)),
  // About as much as fits into the buffer.
  fc
    .tuple(fc.constantFrom('x', ' ', '!', 'é', '😀'), fc.integer({ min: 0, max: 40 }))
    .map(([part, less]) => part.repeat(16_384 / encodeURIComponent(part).length - less)),
  fc
    .tuple(fc.constantFrom('x', '!', 'é', '😀'), fc.integer({ min: -40, max: 40 }))
    .map(([part, more]) => part.repeat(16_384 / 3 / part.length + more)),
  // A list that was not parsed from JSON.
  fc.constantFrom(new Array<unknown>(3), Object.assign(['x'], { a: 'y' })),
);

/** About as many members as a callback may have, some of them elements of lists. */
const many = fc
  .tuple(fc.integer({ min: 1997, max: 2003 }), fc.integer({ min: 0, max: 20 }))
  .map(([count, lists]): Params => {
    const widest = 60;
    const left = count - 1 - lists * 11;
    const objects = Math.floor(left / (widest + 1));
    return {
      lists: named(lists, 'l', Array(10).fill(null)),
      ...named(objects, 'o', { ...named(widest - 1, 'm', {}), full: null }),
      ...named(left - objects * (widest + 1), 'p', null),
    };
  });

/** Trees of any kind, alone and within a callback; some have a part that is at a limit. */
const tree: fc.Arbitrary<Params> = fc.oneof(
  {
    weight: 200,
    arbitrary: fc
      .tuple(
        fc.oneof({ weight: 3, arbitrary: usual }, { weight: 1, arbitrary: anything }),
        fc.oneof(
          { weight: 19, arbitrary: fc.constant(undefined) },
          { weight: 1, arbitrary: fc.tuple(usualName, atLimit) },
        ),
        fc.constantFrom('alone', 'beside', 'inside', 'inside'),
      )
      .map(([some, part, where]) => {
        const all = { ...some };
        if (part) Object.defineProperty(all, part[0], { value: part[1], enumerable: true });
        if (where === 'alone') return all;
        const answer = callbackAnswer('approved', all);
        return where === 'beside' ? answer : { ...answer, approval_request: { transaction: all } };
      }),
  },
  { weight: 1, arbitrary: many },
);

/** How many characters the names and texts have together, which `maxSize` limits. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.entries(value).reduce((sum, [key, content]) => sum + key.length + sizeOf(content), 0);
}

/** How much `maxSize` is above or below the size of the tree; mostly far above. */
const room = fc.oneof(
  { weight: 3, arbitrary: fc.constant(64 * 1024) },
  { weight: 1, arbitrary: fc.constantFrom(-10, -1, 0, 1) },
);

/** The same value with the members of each object changed. */
function withMembers(value: unknown, change: (all: [string, unknown][]) => [string, unknown][]): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const all = Object.entries(value).map(([key, content]): [string, unknown] => [
    key,
    withMembers(content, change),
  ]);
  return Object.fromEntries(change(all));
}

/** The code remembers the names from tree to tree: so they become fewer, then more, then stay, then are reversed. */
function* inTurn(params: Params): Iterable<Params> {
  yield withMembers(params, (all) => all.slice(0, -1)) as Params;
  yield params;
  yield params;
  yield withMembers(params, (all) => all.reverse()) as Params;
}

class Account {
  written = 0;
  left = 0;

  constructor(private readonly quickCanonical: typeof quick.quickCanonical) {}

  /** @throws Error - if a tree is neither left to the plain functions nor written as they write it */
  check(params: Params, more: number): void {
    for (const some of inTurn(params)) {
      const maxSize = Math.max(0, sizeOf(some) + more);
      const bytes = this.quickCanonical(some, maxSize);
      if (bytes === undefined) {
        this.left += 1;
        continue;
      }
      this.written += 1;
      const problem = outOfBounds(some, maxSize);
      if (problem !== undefined) throw new Error(`It is written, although ${problem.detail}.`);
      const canonical = Buffer.from(bytes).toString('latin1');
      const plain = canonicalParams(some);
      if (canonical !== plain) throw new Error(`It writes\n${canonical}\ninstead of\n${plain}`);
    }
  }
}

/** A mistake that `quick-canonical.ts` could have. */
interface Fault {
  readonly name: string;
  /** The right text, which occurs once in `quick-canonical.ts`, and the wrong text that makes the mistake. */
  readonly change: readonly [right: string, wrong: string];
}

const faults: readonly Fault[] = [
  { name: 'members are not sorted', change: ['if (isSorted) {', 'if (isSorted && depth > 9) {'] },
  { name: 'members below a list are sorted', change: ['this.depth + 1, false)', 'this.depth + 1, true)'] },
  { name: 'members are sorted by their names before encoding', change: ['(a.path < b.path ? -1 : 1)', '(decodeURIComponent(a.path) < decodeURIComponent(b.path) ? -1 : 1)'] },
  { name: 'an ambiguous order at the top is not noticed', change: ['isTop && paths.some', 'depth > 9 && paths.some'] },
  { name: 'some ambiguous orders are not noticed', change: ["next.charAt(path.length) < '='", "next.charAt(path.length) < '1'"] },
  { name: 'other names of the same number are taken for the known ones', change: ['if (some[index] !== others[index]) return false', 'if (some[index] === undefined) return false'] },
  { name: 'more names are taken for the known ones', change: ['if (some.length !== others.length) return false;', 'if (some.length > others.length) return false;'] },
  { name: 'names may be empty', change: ["name !== '' && ", ''] },
  { name: 'names may have brackets', change: ['!/[[\\]]/.test(name) && ', ''] },
  { name: 'names may have an opening bracket', change: ['/[[\\]]/', '/[\\]]/'] },
  { name: 'names may have lone surrogates', change: [' && name.isWellFormed()', ''] },
  { name: 'texts may have lone surrogates', change: ['if (!text.isWellFormed()) return unusual;', ''] },
  { name: 'an object of empty objects leaves nothing', change: ['at === start && names.length > 0 ? unusual : at', 'at'] },
  { name: 'an empty object is written in a list', change: ['if (elementNames.length === 0) return unusual;', ''] },
  { name: 'a list in a list is an object', change: ["Array.isArray(element) || typeof element === 'number'", "typeof element === 'number'"] },
  { name: 'a list may have gaps and names', change: ['names !== elements.length || ', ''] },
  { name: 'members of objects are not counted', change: ['  members += names.length;\n', ''] },
  { name: 'elements are not counted', change: ['  members += names;\n', ''] },
  { name: 'one member too many is written', change: ['members > limits.members', 'members > limits.members + 1'] },
  { name: 'characters of names are not counted', change: ['  size += layout.length;\n', ''] },
  { name: 'characters of elements are not counted', change: ['  size += names;\n', ''] },
  { name: 'characters of texts are not counted', change: ["  if (typeof value === 'string') size += value.length;\n", ''] },
  { name: 'one character too many is written', change: ['size > maxSize', 'size > maxSize + 1'] },
  { name: 'elements with two digits are counted as with one', change: ['names > usual.elements', 'names > 64'] },
  { name: 'depth is not limited', change: ['depth > usual.depth || ', ''] },
  { name: 'a text goes beyond the buffer', change: ['if (start + head.length + 3 * text.length >= usual.bytes) return unusual;', 'if (start + head.length >= usual.bytes) return unusual;'] },
  { name: 'an encoded text goes beyond the buffer', change: ['at + encoded.length < usual.bytes ?', 'at < usual.bytes ?'] },
  { name: 'a space is escaped', change: ['code === 0x20 ? 0x2b : 0', '0'] },
  { name: 'escapes are in lower case', change: ["'0123456789ABCDEF'", "'0123456789abcdef'"] },
  { name: 'the first digit of an escape is wrong', change: ['hexDigits[code >> 4]', 'hexDigits[(code >> 4) & 6]'] },
  { name: 'the text after a character that has to be encoded is lost', change: ['writeEncoded(text.slice(index), at)', 'writeEncoded(text.slice(index, index + 2), at)'] },
  { name: 'the last pair has its separator', change: ['Math.max(0, end - 1)', 'Math.max(0, end)'] },
]; // prettier-ignore

const source = path.join(__dirname, '../../nodes/lib/services/authy/callback/quick-canonical.ts');

/** @throws Error - if the right text is no longer in the source */
async function withFault({ change: [right, wrong] }: Fault, no: number): Promise<typeof quick> {
  const folder = path.join(__dirname, '../../.cache/canonical');
  fs.mkdirSync(folder, { recursive: true });
  const text = fs.readFileSync(source, 'utf8');
  if (text.split(right).length !== 2) throw new Error(`quick-canonical.ts does not hold once: ${right}`);
  const changed = text.replace(right, () => wrong).replaceAll("from './", `from '${path.dirname(source)}/`);
  const file = path.join(folder, `${no}.ts`);
  fs.writeFileSync(file, changed);
  return (await import(file)) as typeof quick;
}

describe('Attack: the fast canonical string', function () {
  this.timeout(0);

  it('equals the plain one, within the same bounds, or is left to the plain functions', () => {
    const account = new Account(quick.quickCanonical);
    const settings = cases(50_000);
    fc.assert(
      fc.property(tree, room, (params, more) => account.check(params, more)),
      settings,
    );
    const { written, left } = account;
    process.stdout.write(
      `      ${settings.numRuns} trees, four times each: ${written} written, ${left} left\n`,
    );
    // Otherwise too little would have been compared.
    const all = written + left;
    written.should.be.above(all / 3);
    left.should.be.above(all / 20);
  });

  describe('the same test finds the mistake', () => {
    for (const [no, fault] of faults.entries()) {
      it(`if ${fault.name}`, async () => {
        const account = new Account((await withFault(fault, no)).quickCanonical);
        const { failed } = fc.check(
          fc.property(tree, room, (params, more) => account.check(params, more)),
          { numRuns: 50_000, seed: 1, endOnFailure: true },
        );
        should(failed).be.true();
      });
    }
  });
});
