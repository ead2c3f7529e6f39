import { parseQuery, QueryError } from '../lib/services/authy/callback/query';
import type { Params } from '../lib/services/authy/callback/signature';

/** A request whose parameters cannot be read. */
export class ParameterError extends Error {
  override readonly name = 'ParameterError';
}

/**
 * The parameters of a request, as Ruby on Rails merges them: parameters of the body, JSON or form, replace those of the
 * query string, with every method.
 *
 * @param query - without the leading `?`
 * @param contentType - the header, if there is one; a body that is not JSON is read as a form
 * @throws ParameterError
 */
export function mergeParameters(query: string, contentType: string | undefined, body: Buffer): Params {
  try {
    return { ...parseQuery(query), ...parseBody(contentType, body) };
  } catch (error) {
    if (error instanceof QueryError || error instanceof SyntaxError) throw new ParameterError(error.message);
    throw error;
  }
}

function parseBody(contentType: string | undefined, body: Buffer): Params {
  const text = body.toString('utf8').trim();
  if (text === '') return {};
  if (!contentType?.toLowerCase().includes('json')) return parseQuery(text);
  return asObject(JSON.parse(text)) ?? {};
}

/** An object, or undefined for everything else. */
export function asObject(value: unknown): Params | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Params) : undefined;
}

/** A list: also one that came as an object, as `logos[0][res]=…` does. */
export function asList(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value as unknown[];
  const entries = Object.entries(asObject(value) ?? {});
  if (entries.length === 0 || !entries.every(([key]) => /^\d+$/.test(key))) return undefined;
  return entries.sort(([a], [b]) => Number(a) - Number(b)).map(([, element]) => element);
}

/** Text, number or boolean as text; undefined if absent, null, blank or not a scalar. */
export function asText(value: unknown): string | undefined {
  const text = ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : '';
  return text.trim() === '' ? undefined : text;
}

/** True for true in any spelling that clients use: Python sends `True`. */
export function asFlag(value: unknown): boolean {
  return ['true', '1'].includes(asText(value)?.toLowerCase() ?? '');
}

/** A whole number not below 0, as number or text; NaN for any other value, undefined if there is none. */
export function asInteger(value: unknown): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const text = asText(value) ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : NaN;
}
