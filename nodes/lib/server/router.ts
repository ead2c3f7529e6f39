import type { RequestListener, ServerResponse } from 'node:http';
import type { MountedRequest, RequestHandler } from '../contract/request-handler';
import { sendJson } from './send';

/** The handler of one method and path. */
export interface Route<Handler> {
  /** GET is HEAD as well: node:http leaves out the content. */
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `{name}` stands for a segment, or for all of it before what follows, as in `{id}.svg`. */
  readonly path: string;
  readonly handle: Handler;
}

type Values = Readonly<Record<string, string>>;

/** What answers a route of {@link routed}. @param values - of the path's `{name}`s, decoded */
export type RouteHandler = (request: MountedRequest, response: ServerResponse, values: Values) => void;

/** The route of a request, with the decoded values of its `{name}`s. */
export type FoundRoute<R> = { readonly route: R; readonly values: Values } | NoRoute;

/** Why a request has no route, as an answer says it. */
export interface NoRoute {
  readonly route?: undefined;
  /** 400: a value in the path cannot be decoded. 405: the path has other methods. */
  readonly status: 400 | 404 | 405;
  /** A sentence. */
  readonly problem: string;
  /** For 405 the other methods, as Allow (RFC 9110, 10.2.1). */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Finds the route of a request. A trailing slash does not matter; capitals and empty segments do. Segments are
 * decoded one by one: an encoded slash is a part of its segment.
 *
 * @param routes - the first one that matches counts
 * @param path - without the query string, percent-encoded as it came
 */
export function findRoute<R extends Route<unknown>>(
  routes: readonly R[],
  method: string,
  path: string,
): FoundRoute<R> {
  const segments = segmentsOf(path).map(decode);
  const wanted = method === 'HEAD' ? 'GET' : method;
  const methods = new Set<string>();
  for (const route of routes) {
    const values = matchPath(segmentsOf(route.path), segments);
    if (values === undefined) continue;
    if (route.method === wanted) return values === 'malformed' ? malformed : { route, values };
    methods.add(route.method);
    if (route.method === 'GET') methods.add('HEAD');
  }
  if (methods.size === 0) return { status: 404, problem: `There is nothing at ${path}.`, headers: {} };
  const problem = `Send ${[...methods].join(' or ')} to ${path}, not ${method}.`;
  return { status: 405, problem, headers: { Allow: [...methods].join(', ') } };
}

const malformed: NoRoute = {
  status: 400,
  problem: 'Percent-encode the path as UTF-8: a part of it cannot be decoded.',
  headers: {},
};

/** The path of a request target, and its query string without `?`; a bare `?` is an empty one. */
export function pathAndQuery(url: string): { path: string; query: string } {
  const at = url.indexOf('?');
  return at < 0 ? { path: url, query: '' } : { path: url.slice(0, at), query: url.slice(at + 1) };
}

/** Answers the routes of a table; what has none of their paths is handed on. */
export function routed(routes: readonly Route<RouteHandler>[]): RequestHandler {
  return (request, response, next) => {
    const found = findRoute(routes, request.method ?? '', pathAndQuery(request.url ?? '').path);
    if (found.route !== undefined) found.route.handle(request, response, found.values);
    else if (found.status === 404) next();
    else sendJson(response, found.status, { error: found.problem }, found.headers);
  };
}

/** Mounts a handler below a path: there `url` is relative to it, and `originalUrl` is the whole, as in Express. */
export function below(prefix: string, handler: RequestHandler): RequestHandler {
  return (request, response, next) => {
    const { url = '' } = request;
    const rest = url.slice(prefix.length);
    if (!url.startsWith(prefix) || !/^([/?]|$)/.test(rest)) {
      next();
      return;
    }
    request.originalUrl ??= url;
    request.url = rest.startsWith('/') ? rest : `/${rest}`;
    handler(request, response, (error) => {
      request.url = url;
      next(error);
    });
  };
}

/**
 * The listener of an HTTP server: asks handlers in turn, until one does not hand the request on.
 *
 * @param failed - is told of an error that a handler throws or hands on, and returns what the client may know of it
 */
export function application(
  handlers: readonly RequestHandler[],
  failed: (error: unknown) => string,
): RequestListener {
  return (request: MountedRequest, response) => {
    const fail = (error: unknown): void => {
      // It is no error if the client broke off while it was sending.
      if (request.destroyed && !request.complete) return;
      const message = failed(error);
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { error: message });
    };
    const ask = ([handler, ...others]: readonly RequestHandler[]): void => {
      if (handler === undefined) {
        sendJson(response, 404, { error: 'There is nothing at this address.' });
        return;
      }
      try {
        handler(request, response, (error) => (error === undefined ? ask(others) : fail(error)));
      } catch (error) {
        fail(error);
      }
    };
    // A client may send the address as a proxy is sent it (RFC 9112, 3.2.2).
    request.url = (request.url ?? '').replace(/^https?:\/\/[^/?]*/i, '');
    ask(handlers);
  };
}

function segmentsOf(path: string): string[] {
  return path.replace(/\/$/, '').split('/');
}

/** A decoded segment; undefined if it cannot be decoded. */
function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/** @returns undefined if it does not match; `malformed` if it does, but for a value that cannot be decoded */
function matchPath(
  template: readonly string[],
  segments: readonly (string | undefined)[],
): Record<string, string> | 'malformed' | undefined {
  if (template.length !== segments.length) return undefined;
  const values: Record<string, string> = {};
  let isMalformed = false;
  for (const [index, step] of template.entries()) {
    const segment = segments[index];
    const [, name, ending = ''] = /^\{(\w+)\}(.*)$/.exec(step) ?? [];
    if (name === undefined) {
      if (segment !== step) return undefined;
    } else if (segment === undefined) {
      isMalformed = true;
    } else if (segment.length > ending.length && segment.endsWith(ending)) {
      values[name] = segment.slice(0, segment.length - ending.length);
    } else {
      return undefined;
    }
  }
  return isMalformed ? 'malformed' : values;
}
