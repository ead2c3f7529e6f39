/** A parsed JSON object with unknown members. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object's own member, never an inherited one. */
export function member(object: unknown, name: string): unknown {
  return isObject(object) && Object.hasOwn(object, name) ? object[name] : undefined;
}

/** What a text says as JSON; undefined if it is not JSON. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

// Fields that only inform may be absent or of another type than documented: services have dropped and changed such
// fields before, and clients that insisted on them broke.

export function textOrNull(object: unknown, name: string): string | null {
  const value = member(object, name);
  return typeof value === 'string' ? value : null;
}

export function numberOrNull(object: unknown, name: string): number | null {
  const value = member(object, name);
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^-?[0-9]{1,15}$/.test(value) ? Number(value) : null;
}

export function flagOrNull(object: unknown, name: string): boolean | null {
  const value = member(object, name);
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  return null;
}

export function textsOf(object: unknown, name: string): string[] {
  const value = member(object, name);
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

export function objectOrNull(object: unknown, name: string): JsonObject | null {
  const value = member(object, name);
  return isObject(value) ? value : null;
}

/** Whether there are more than so many levels in a value that was parsed from JSON. */
export function isNestedDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((content) => isNestedDeeper(content, levels - 1));
}
