import type { Params } from './signature';

/** How deep and how wide a body may be. Authy's own are five deep, with some sixty members. */
export const limits = { depth: 32, members: 2000 };

/** Why a callback is refused before its signature is computed. */
export interface OutOfBounds {
  readonly reason: 'tooComplex' | 'tooLarge' | 'unreadableBody';
  readonly detail: string;
}

/**
 * Limits the depth, the number of members and the amount of text, and refuses names and texts that would be signed like
 * others.
 *
 * @param maxSize - how many characters names and texts may have in all
 * @returns the first problem, in the order of the members; undefined if there is none
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
 * Whether a name would be signed like a nested one: `{"a[b]": 1}` like `{"a": {"b": 1}}`, `{"a": {"": 1}}` like
 * `{"a": [1]}`. Otherwise somebody with a genuine callback could move its content to a place that nobody reads.
 */
function spellsPath(name: string, depth: number): boolean {
  return depth === 0 ? name.includes('[') : name === '' || name.includes('][');
}

/** An unpaired surrogate is signed like U+FFFD. Authy's texts have none. */
const notUnicode: OutOfBounds = { reason: 'unreadableBody', detail: 'it holds text that is not Unicode' };

function tooComplex(detail: string): OutOfBounds {
  return { reason: 'tooComplex', detail };
}
