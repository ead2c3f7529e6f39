import { isObject, parsedJson } from '../../../contract/json';
import { utf8 } from '../../../contract/utf8';

/** What a webhook says: each name with all values that it has. */
export type Parameters = ReadonlyMap<string, readonly unknown[]>;

/** Those of a form, whose values are texts. */
export type FormParameters = ReadonlyMap<string, readonly string[]>;

/** What was wrong with a body: a clause for the log, which repeats nothing of it. */
export class UnreadableBody {
  constructor(
    readonly reason: 'tooLarge' | 'tooComplex' | 'unreadableBody',
    readonly detail: string,
  ) {}
}

/** How many values a body may have. Twilio's own webhooks have some twenty. */
export const mostValues = 500;

/**
 * Reads a form as it came over the line. Refuses what two readers could read in two ways: broken escapes, which some leave
 * as they are, and parameters without a name, which would be signed like a longer address.
 */
export function formParameters(form: string): FormParameters | UnreadableBody {
  const pairs = form.split('&', mostValues + 1);
  if (pairs.length > mostValues) return tooMany;
  const parameters = new Map<string, string[]>();
  for (const pair of pairs) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decoded(equals < 0 ? pair : pair.slice(0, equals));
    const value = decoded(equals < 0 ? '' : pair.slice(equals + 1));
    if (name === undefined || value === undefined) return unreadable('the form has escapes that are broken');
    if (name === '') return unreadable('the form has a parameter without a name');
    add(parameters, name, value);
  }
  return parameters;
}

/**
 * Reads a form that a parser has read already: names with texts, or with lists of texts for names that came repeatedly. A
 * parser that nests (`a[b]=1`) has changed the names that were signed, so what is nested is refused.
 *
 * @param maxSize - how many characters names and texts may have in all
 */
export function parsedFormParameters(form: object, maxSize: number): FormParameters | UnreadableBody {
  const parameters = new Map<string, string[]>();
  let [values, size] = [0, 0];
  for (const [name, content] of Object.entries(form)) {
    const texts: unknown[] = Array.isArray(content) ? content : [content];
    values += texts.length;
    if (values > mostValues) return tooMany;
    if (name === '') return unreadable('the form has a parameter without a name');
    for (const text of texts) {
      if (typeof text !== 'string') {
        return unreadable(
          'the form was parsed into something else than texts; tick "Do not parse the request body" in the http in node',
        );
      }
      // The name is signed with each of its values.
      size += name.length + text.length;
      // An unpaired surrogate would be signed like U+FFFD.
      if (!text.isWellFormed() || !name.isWellFormed()) return unreadable('the form is not Unicode');
      if (!(size <= maxSize))
        return new UnreadableBody('tooLarge', `the form holds more than ${maxSize} bytes`);
      add(parameters, name, text);
    }
  }
  return parameters;
}

/** Reads the members of a JSON object. One that has a name twice is refused: some readers take the first, some the last. */
export function jsonParameters(json: string): Parameters | UnreadableBody {
  const body = parsedJson(json);
  if (!isObject(body)) return unreadable('the body is not a JSON object');
  const members = Object.entries(body);
  if (members.length > mostValues) return tooMany;
  if (members.length !== countMembers(json)) return unreadable('the body has two members of one name');
  return new Map(members.map(([name, value]) => [name, [value]]));
}

/** The text of a body; undefined if it is none. */
export function textOf(body: unknown): string | undefined {
  if (typeof body === 'string') return body.isWellFormed() ? body : undefined;
  return Buffer.isBuffer(body) ? utf8(body) : undefined;
}

const tooMany = new UnreadableBody('tooComplex', `it has more than ${mostValues} parameters`);

function unreadable(detail: string): UnreadableBody {
  return new UnreadableBody('unreadableBody', detail);
}

function add(parameters: Map<string, string[]>, name: string, value: string): void {
  const values = parameters.get(name);
  if (values === undefined) parameters.set(name, [value]);
  else values.push(value);
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

/**
 * How many members the outermost object has, those of one name counted as often as they come.
 *
 * @param json - an object that `JSON.parse` has accepted: so every colon outside of texts belongs to a member
 */
function countMembers(json: string): number {
  let [count, depth, inText] = [0, 0, false];
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at];
    if (inText) {
      if (character === '\\') at += 1;
      else if (character === '"') inText = false;
    } else if (character === '"') inText = true;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    else if (character === ':' && depth === 1) count += 1;
  }
  return count;
}
