import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestHandler } from '../lib/contract/request-handler';
import { BodyTooLarge } from '../lib/server/request-body';
import { pathAndQuery } from '../lib/server/router';
import { send } from '../lib/server/send';
import type { Backend } from './backend';
import { readBody } from './body';
import { answerOf, type ErrorForm, type FaultAnswer, type RequestFault } from './faults';
import type { Reply } from './reply';

/** A request that came in. */
export interface Incoming {
  readonly method: string;
  /** Without the query string. */
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** What answers the requests to one method and path. */
export interface Endpoint {
  /** Whether waiting clients poll it. */
  readonly isPolled: boolean;
  readonly answer: (incoming: Incoming) => Reply;
}

/** A service's way of being asked and of answering. */
export interface Protocol {
  /** Whether a path is one of its own, with or without an endpoint. */
  readonly covers: (path: string) => boolean;
  /** The endpoint of a request, or what answers that there is none. */
  readonly find: (method: string, path: string) => Endpoint;
  readonly errors: ErrorForm;
  /** The path without what is secret or personal in it. */
  readonly shownPath: (path: string) => string;
  /** The names of a request's parameters, sorted; none if they cannot be read. */
  readonly parameterNames: (incoming: Incoming) => string[];
}

type Written = Extract<FaultAnswer, { drop: false }>;

/**
 * The endpoints of all protocols: reads a request, applies faults, carries it out, answers and remembers it.
 *
 * @param protocols - the first one that covers a path answers it; the last one has to cover every path
 */
export function endpoints(backend: Backend, protocols: readonly Protocol[]): RequestHandler {
  return (request, response, next) => {
    serve(backend, protocols, request, response).catch(next);
  };
}

async function serve(
  backend: Backend,
  protocols: readonly Protocol[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const { path, query } = pathAndQuery(request.url ?? '');
  const protocol = protocols.find(({ covers }) => covers(path));
  if (protocol === undefined) throw new Error(`No protocol covers ${path}.`);
  const { errors } = protocol;
  const body = await bodyOf(request);
  if (body instanceof BodyTooLarge) {
    write(response, written(errors.write(400, errors.invalidRequest, body.message)));
    return;
  }
  const incoming = { method: request.method ?? '', path, query, headers: request.headers, body };
  const { method } = incoming;
  const faults = backend.faults.takeForRequest({ method, path, hasBody: body.length > 0 });
  const isLate = (fault: RequestFault): boolean => fault.after === true;
  const apply = (list: RequestFault[]): Promise<FaultAnswer | undefined> =>
    applyFaults(list, errors, gone.signal);
  const early = await apply(faults.filter((fault) => !isLate(fault)));
  // The client went away during a latency: nothing is carried out.
  if (gone.signal.aborted) return;
  const endpoint = protocol.find(method, path);
  let answer = early ?? written(endpoint.answer(incoming));
  if (early === undefined) answer = (await apply(faults.filter(isLate))) ?? answer;
  const status = answer.drop ? null : answer.status;
  const shownPath = protocol.shownPath(path);
  backend.state.requests.add({
    at: new Date(backend.state.now()).toISOString(),
    method,
    path: shownPath,
    parameters: protocol.parameterNames(incoming),
    status,
    fault: faults.at(-1)?.kind ?? null,
  });
  // For polled endpoints only failures are logged.
  const isRoutine = endpoint.isPolled && status === 200 && faults.length === 0;
  if (!isRoutine) backend.log(`${method} ${shownPath}: ${status ?? 'connection dropped'}`);
  if (answer.drop) response.socket?.destroy();
  else write(response, answer);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | BodyTooLarge> {
  try {
    return await readBody(request);
  } catch (error) {
    if (error instanceof BodyTooLarge) return error;
    throw error;
  }
}

/** Applies faults in order. @returns the answer of the one that ends the request, if one does */
async function applyFaults(
  faults: readonly RequestFault[],
  errors: ErrorForm,
  gone: AbortSignal,
): Promise<FaultAnswer | undefined> {
  for (const fault of faults) {
    if (fault.kind !== 'latency') return answerOf(fault, errors);
    await sleep(fault.ms, undefined, { signal: gone }).catch(() => undefined);
  }
  return undefined;
}

function written({ status, body, headers = {} }: Reply): Written {
  return {
    drop: false,
    status,
    type: 'application/json; charset=utf-8',
    // Without spaces: authy-python looks for `"token":"is valid"` in the text.
    text: body === null ? '' : JSON.stringify(body),
    headers,
  };
}

function write(response: ServerResponse, { status, type, text, headers }: Written): void {
  // An answer without a body, 204, has neither type nor length.
  if (text === '') response.writeHead(status, { 'Cache-Control': 'no-store', ...headers }).end();
  else send(response, status, type, text, headers);
}
