import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestHandler } from 'express';
import { BodyTooLarge, readBody } from '../body';
import { answerOf, type FaultAnswer, type Faults, type RequestFault } from '../faults';
import type { Languages } from '../languages';
import { asText, mergeParameters, ParameterError } from '../parameters';
import { Failure, type Reply } from '../replies';
import { findRoute, type FoundRoute } from '../routes';
import type { Settings } from '../settings';
import type { State } from '../state/state';
import { applicationRoutes } from './application';
import type { CallRoute } from './call';
import { onetouchRoutes } from './onetouch';
import { phoneRoutes } from './phones';
import { tokenRoutes } from './tokens';
import { userRoutes } from './users';

/** Every endpoint of Authy's that the simulator has. Source: https://www.twilio.com/docs/authy/api */
const routes: readonly CallRoute[] = [
  ...userRoutes,
  ...tokenRoutes,
  ...phoneRoutes,
  ...onetouchRoutes,
  ...applicationRoutes,
];

/** The methods and paths of the endpoints, for people to read. */
export const endpoints: readonly string[] = routes.map(({ method, path }) => `${method} ${path}`);

/** The state that the endpoints work on. */
export interface Backend {
  readonly state: State;
  readonly settings: Readonly<Settings>;
  readonly faults: Faults;
  readonly languages: Languages;
  /** Writes a line about an event. */
  readonly log: (line: string) => void;
}

/** A request that came in. */
interface Incoming {
  readonly method: string;
  /** Without the query string. */
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Authy's endpoints: reads a request, applies faults, carries it out, answers and remembers it. */
export function authyApi(backend: Backend): RequestHandler {
  return (request, response, next) => {
    serve(backend, request, response).catch((error: unknown) => {
      // It is no error if the client broke off while it was sending.
      if (!request.destroyed || request.complete) next(error);
    });
  };
}

async function serve(backend: Backend, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const incoming = await receive(request);
  if (incoming === undefined) {
    write(
      response,
      replyAnswer(new Failure('invalidRequest', { message: new BodyTooLarge().message }).reply),
    );
    return;
  }
  const { method, path } = incoming;
  const faults = backend.faults.takeForRequest({ method, path, hasBody: incoming.body.length > 0 });
  const isLate = (fault: RequestFault): boolean => fault.after === true;
  const apply = (list: RequestFault[]): Promise<FaultAnswer | undefined> => applyFaults(list, gone.signal);
  const early = await apply(faults.filter((fault) => !isLate(fault)));
  // The client went away during a latency: nothing is carried out.
  if (gone.signal.aborted) return;
  const found = findRoute(routes, method, path);
  let answer = early ?? replyAnswer(carryOut(backend, incoming, found));
  if (early === undefined) answer = (await apply(faults.filter(isLate))) ?? answer;
  const status = answer.drop ? null : answer.status;
  const shownPath = path.replace(/^(\/protected\/json\/verify\/)[^/]+/, '$1***');
  backend.state.requests.add({
    at: new Date(backend.state.now()).toISOString(),
    method,
    path: shownPath,
    parameters: parameterNames(incoming),
    status,
    fault: faults.at(-1)?.kind ?? null,
  });
  // For polled endpoints only failures are logged.
  const isRoutine = found?.route.isPolled === true && status === 200 && faults.length === 0;
  if (!isRoutine) backend.log(`${method} ${shownPath}: ${status ?? 'connection dropped'}`);
  if (answer.drop) response.socket?.destroy();
  else write(response, answer);
}

/** @returns undefined if the body is too large */
async function receive(request: IncomingMessage): Promise<Incoming | undefined> {
  // A client may leave a bare `?` behind: its query is empty.
  const [path = '', query = ''] = (request.url ?? '').split(/\?(.*)/s);
  try {
    const body = await readBody(request);
    return { method: request.method ?? '', path, query, headers: request.headers, body };
  } catch (error) {
    if (error instanceof BodyTooLarge) return undefined;
    throw error;
  }
}

/** Applies faults in order. @returns the answer of the one that ends the request, if one does */
async function applyFaults(
  faults: readonly RequestFault[],
  gone: AbortSignal,
): Promise<FaultAnswer | undefined> {
  for (const fault of faults) {
    if (fault.kind !== 'latency') return answerOf(fault);
    await sleep(fault.ms, undefined, { signal: gone }).catch(() => undefined);
  }
  return undefined;
}

function carryOut(
  { state, settings, languages }: Backend,
  incoming: Incoming,
  found: FoundRoute<CallRoute> | undefined,
): Reply {
  try {
    if (found === undefined) throw unknownUrl(incoming.path);
    const params = mergeParameters(incoming.query, incoming.headers['content-type'], incoming.body);
    const key = incoming.headers['x-authy-api-key'] ?? asText(params['api_key']);
    if (key !== settings.apiKey) throw new Failure('invalidKey');
    state.statistics.count('api_calls_count');
    const baseUrl = `http://${incoming.headers.host ?? ''}`;
    const language = languages.ofLocale(asText(params['locale']));
    return found.route.handle({ state, settings, params, language, path: found.values, baseUrl });
  } catch (error) {
    if (error instanceof Failure) return error.reply;
    if (error instanceof ParameterError) {
      return new Failure('invalidRequest', { message: `Invalid request: ${error.message}` }).reply;
    }
    throw error;
  }
}

function unknownUrl(path: string): Failure {
  const isXml = /^\/(protected|onetouch)\/xml\//.test(path);
  const message = 'Use /json/ instead of /xml/ in the path: the Authy simulator speaks JSON only.';
  return new Failure('unknownUrl', isXml ? { message } : {});
}

function parameterNames({ query, headers, body }: Incoming): string[] {
  try {
    return Object.keys(mergeParameters(query, headers['content-type'], body)).sort();
  } catch {
    return [];
  }
}

function replyAnswer({ status, body }: Reply): Extract<FaultAnswer, { drop: false }> {
  // Without spaces: authy-python looks for `"token":"is valid"` in the text.
  return {
    drop: false,
    status,
    type: 'application/json; charset=utf-8',
    text: JSON.stringify(body),
    headers: {},
  };
}

function write(response: ServerResponse, answer: Extract<FaultAnswer, { drop: false }>): void {
  response.writeHead(answer.status, {
    'Content-Type': answer.type,
    'Content-Length': Buffer.byteLength(answer.text),
    'Cache-Control': 'no-store',
    ...answer.headers,
  });
  response.end(answer.text);
}
