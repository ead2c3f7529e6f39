/** The handler of one method and path; `{name}` in the path stands for one segment. */
export interface Route<Handler> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly handle: Handler;
}

/** A route, and the decoded values of its `{name}` segments. */
export interface FoundRoute<R> {
  readonly route: R;
  readonly values: Readonly<Record<string, string>>;
}

/**
 * Finds the route of a request. A trailing slash does not matter; an empty segment matches nothing.
 *
 * @param path - without the query string, percent-encoded as it came
 */
export function findRoute<R extends Route<unknown>>(
  routes: readonly R[],
  method: string,
  path: string,
): FoundRoute<R> | undefined {
  const segments = path.replace(/\/$/, '').split('/').map(decode);
  for (const route of routes) {
    const values = route.method === method ? matchPath(route.path.split('/'), segments) : undefined;
    if (values !== undefined) return { route, values };
  }
  return undefined;
}

function matchPath(
  template: readonly string[],
  segments: readonly string[],
): Record<string, string> | undefined {
  if (template.length !== segments.length) return undefined;
  const values: Record<string, string> = {};
  for (const [index, step] of template.entries()) {
    const segment = segments[index] ?? '';
    const name = /^\{(\w+)\}$/.exec(step)?.[1];
    if (name === undefined ? segment !== step : segment === '') return undefined;
    if (name !== undefined) values[name] = segment;
  }
  return values;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
