import type { Params } from './signature';

/** How deep `a[b][c]…` may nest, and how many parameters a query may hold, before it is refused. */
export interface QueryLimits {
  depth: number;
  parameters: number;
}

const defaultLimits: QueryLimits = { depth: 32, parameters: 2000 };

/** A query string that is too deep, too long, or contradicts itself. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
}

type Branch = { [key: string]: unknown };

/**
 * Parses a query string or form body as Ruby on Rails (Rack) does: `a[b]=1` nests, `a[]=1` appends,
 * `a[][x]=1&a[][y]=2` fills one element until a name comes again. A number in brackets is a name like any other.
 * All leaves are text. Objects have no prototype.
 *
 * Source: https://www.rubydoc.info/gems/rack/Rack/QueryParser (the behaviour; the code is our own)
 *
 * @param text - without the leading `?`
 * @throws QueryError - when a limit is passed, or a name is used both as a value and as a container
 */
export function parseQuery(text: string, limits: QueryLimits = defaultLimits): Params {
  const root = emptyBranch();
  const pairs = text.split('&').filter((pair) => pair !== '');
  if (pairs.length > limits.parameters) {
    throw new QueryError(`more than ${limits.parameters} parameters`);
  }
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1));
    const path = namePath(name);
    if (path.length > limits.depth) throw new QueryError(`nested deeper than ${limits.depth}`);
    store(root, path, value, name);
  }
  return root;
}

function emptyBranch(): Branch {
  return Object.create(null) as Branch;
}

/** `a[b][]` → `['a', 'b', '']`; an empty step stands for "the next element". */
function namePath(name: string): string[] {
  const open = name.indexOf('[', 1);
  if (open < 0 || !name.endsWith(']')) return [name];
  return [name.slice(0, open), ...name.slice(open + 1, -1).split('][')];
}

function store(root: Branch, path: readonly string[], value: string, name: string): void {
  let node: Branch | unknown[] = root;
  path.forEach((step, depth) => {
    const isLast = depth === path.length - 1;
    const rest = path.slice(depth + 1);
    const fresh = (): Branch | unknown[] => (rest[0] === '' ? [] : emptyBranch());
    if (Array.isArray(node)) {
      if (isLast) {
        node.push(value);
        return;
      }
      const last: unknown = node.at(-1);
      if (!isContainer(last) || isTaken(last, rest)) node.push(fresh());
      node = node.at(-1) as Branch | unknown[];
      return;
    }
    if (isLast) {
      if (isContainer(node[step])) throw new QueryError(`"${name}" is both a value and a container`);
      node[step] = value;
      return;
    }
    node[step] ??= fresh();
    const next: unknown = node[step];
    if (!isContainer(next) || Array.isArray(next) !== (rest[0] === '')) {
      throw new QueryError(`"${name}" is both a value and a container`);
    }
    node = next;
  });
}

function isContainer(value: unknown): value is Branch | unknown[] {
  return typeof value === 'object' && value !== null;
}

/** Whether an element already holds what `path` would set: then Rack begins the next element. */
function isTaken(element: Branch | unknown[], path: readonly string[]): boolean {
  const [step = '', ...rest] = path;
  if (Array.isArray(element) || step === '') return Array.isArray(element) !== (step === '');
  if (!(step in element)) return false;
  const next = element[step];
  return rest.length === 0 || !isContainer(next) || (rest[0] !== '' && isTaken(next, rest));
}

function decode(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
