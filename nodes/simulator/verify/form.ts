import { asObject } from '../parameters';
import { invalidParameter } from './replies';

/** The parameters of a request, each read as what it has to be. What is blank counts as absent. */
export class Form {
  private readonly fields: URLSearchParams;

  /** @param text - a form or a query string, without the leading `?` */
  constructor(text: string) {
    this.fields = new URLSearchParams(text);
  }

  /** Sorted. */
  get names(): string[] {
    return [...new Set(this.fields.keys())].sort();
  }

  /** As a query string, with some values replaced. */
  with(values: Readonly<Record<string, string>>): string {
    const fields = new URLSearchParams(this.fields);
    for (const [name, value] of Object.entries(values)) fields.set(name, value);
    return fields.toString();
  }

  /** The value; the last one if the name is repeated. */
  value(name: string): string | undefined {
    return this.all(name).at(-1);
  }

  /** Every value of a name. */
  all(name: string): string[] {
    return this.fields.getAll(name).filter((value) => value.trim() !== '');
  }

  /** @throws VerifyFailure - 60200: it is absent, or does not have the form */
  required(name: string, form?: RegExp): string {
    const text = this.matching(name, form);
    if (text === undefined) throw invalidParameter(name, 'it is required');
    return text;
  }

  /** @throws VerifyFailure - 60200: it does not have the form */
  matching(name: string, form?: RegExp): string | undefined {
    const text = this.value(name);
    if (text !== undefined && form?.test(text) === false) throw invalidParameter(name, text);
    return text;
  }

  /** @throws VerifyFailure - 60200: it is longer */
  upTo(length: number, name: string): string | undefined {
    const text = this.value(name);
    if (text !== undefined && text.length > length) throw tooLong(name, length);
    return text;
  }

  /** @throws VerifyFailure - 60200: it is another value */
  oneOf<T extends string>(name: string, values: readonly T[]): T | undefined {
    const text = this.value(name);
    const value = values.find((candidate) => candidate === text);
    if (text !== undefined && value === undefined) {
      throw invalidParameter(name, `${text} is not one of ${values.join(', ')}`);
    }
    return value;
  }

  /** @throws VerifyFailure - 60200: it is no whole number of this range */
  integer(name: string, min: number, max: number): number | undefined {
    const text = this.matching(name, /^\d{1,9}$/);
    if (text === undefined) return undefined;
    if (Number(text) < min || Number(text) > max) {
      throw invalidParameter(name, `${text} is not between ${min} and ${max}`);
    }
    return Number(text);
  }

  /** @throws VerifyFailure - 60200: it is neither true nor false */
  flag(name: string): boolean | undefined {
    const text = this.matching(name, /^(true|false)$/i);
    return text === undefined ? undefined : text.toLowerCase() === 'true';
  }

  /** In milliseconds since 1970. @throws VerifyFailure - 60200: it is no ISO 8601 date */
  date(name: string): number | undefined {
    const text = this.matching(name, /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:?\d\d))?$/);
    if (text === undefined) return undefined;
    const time = Date.parse(text);
    if (Number.isNaN(time)) throw invalidParameter(name, text);
    return time;
  }

  /** @throws VerifyFailure - 60200: it is no JSON object, or has a member of another kind */
  object(name: string, limits: { length?: number } = {}): Record<string, unknown> | undefined {
    const { length } = limits;
    const text = length === undefined ? this.value(name) : this.upTo(length, name);
    return text === undefined ? undefined : objectOf(name, text);
  }

  /** A JSON object whose members are texts. @throws VerifyFailure - 60200 */
  texts(name: string, limits: { length?: number } = {}): Record<string, string> | undefined {
    const object = this.object(name, limits);
    if (object === undefined) return undefined;
    for (const [key, value] of Object.entries(object)) {
      if (typeof value !== 'string') throw invalidParameter(name, `the value of ${key} has to be a text`);
    }
    return object as Record<string, string>;
  }
}

/** A JSON object in a field. @throws VerifyFailure - 60200 */
export function objectOf(name: string, text: string): Record<string, unknown> {
  let object: Readonly<Record<string, unknown>> | undefined;
  try {
    object = asObject(JSON.parse(text));
  } catch {
    // It is answered as a JSON value that is no object.
  }
  if (object === undefined) throw invalidParameter(name, 'it has to be a JSON object');
  return { ...object };
}

export function tooLong(name: string, length: number) {
  return invalidParameter(name, `it is longer than ${length} characters`);
}
