import type { Params } from './signature';

/** How deep and how wide a body may be. Authy's own are five deep, with some sixty members. */
export const limits = { depth: 32, members: 2000 };

/** Why a tree is not looked at further. */
export interface OutOfBounds {
  readonly reason: 'tooComplex' | 'tooLarge' | 'unreadableBody';
  readonly detail: string;
}

/**
 * Bounds depth, number of members and amount of text, and refuses what is signed as something else is.
 *
 * @param maxSize - how many characters names and texts may have in all
 * @returns what comes first, in the order of the members; undefined where nothing speaks against the tree
 */
export function outOfBounds(root: Params, maxSize: number): OutOfBounds | undefined {
  let members = 0;
  let size = 0;
  const visit = (value: unknown, depth: number): OutOfBounds | undefined => {
    if (typeof value === 'string') {
      size += value.length;
      if (!value.isWellFormed()) return notUnicode;
    }
    if (typeof value === 'object' && value !== null) {
      if (depth > limits.depth) return tooComplex(`it is nested deeper than ${limits.depth}`);
      for (const [name, content] of Object.entries(value)) {
        members += 1;
        size += name.length;
        if (members > limits.members) return tooComplex(`it has more than ${limits.members} members`);
        if (!name.isWellFormed()) return notUnicode;
        if (spellsPath(name, depth)) {
          return { reason: 'unreadableBody', detail: 'a name in it can be read in two ways' };
        }
        const problem = visit(content, depth + 1);
        if (problem !== undefined) return problem;
      }
    }
    if (size > maxSize) return { reason: 'tooLarge', detail: `it holds more than ${maxSize} bytes` };
    return undefined;
  };
  return visit(root, 0);
}

/**
 * Whether a name would be signed as a nested one: `{"a[b]": 1}` as `{"a": {"b": 1}}`, `{"a": {"": 1}}` as
 * `{"a": [1]}`. Else one who has a genuine callback could move what it says to where nobody looks for it.
 */
function spellsPath(name: string, depth: number): boolean {
  return depth === 0 ? name.includes('[') : name === '' || name.includes('][');
}

/** Half of a surrogate pair is signed as U+FFFD is; no text of Authy's has one. */
const notUnicode: OutOfBounds = { reason: 'unreadableBody', detail: 'it holds text that is not Unicode' };

function tooComplex(detail: string): OutOfBounds {
  return { reason: 'tooComplex', detail };
}
