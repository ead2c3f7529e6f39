import type { ServerResponse } from 'node:http';
import type { MountedRequest, RequestHandler } from '../lib/contract/request-handler';
import { isJson } from '../lib/server/own-pages';
import { BodyTooLarge } from '../lib/server/request-body';
import { findRoute, type NoRoute, pathAndQuery, type Route } from '../lib/server/router';
import { sendJson } from '../lib/server/send';
import type { Params } from '../lib/services/authy/callback/signature';
import { allAsked, type Asked, findAsked } from './asked';
import { authyEndpoints } from './authy/authy-api';
import type { Backend } from './backend';
import { readBody } from './body';
import { FaultError, faultDescription } from './faults';
import { asInteger, asObject, asText } from './parameters';
import { lines } from './phone-numbers';
import {
  type CallbackForm,
  type CallbackMethod,
  callbackTarget,
  callbackUrlProblem,
  type Settings,
} from './settings';
import { capacities } from './state/limits';
import { enrol, removeFactor } from './verify/factor-life';
import { VerifyFailure } from './verify/replies';
import { uuidOf } from './verify/sids';
import { verifyEndpoints } from './verify/verify-api';
import { factorView, userView } from './views';

/** The state that the control interface works on, with that of the endpoints. */
export interface ControlBackend extends Backend {
  /** Changes the given settings. */
  readonly configure: (settings: Partial<Settings>) => void;
}

interface ControlCall {
  readonly backend: ControlBackend;
  readonly query: URLSearchParams;
  readonly body: Params;
  /** The value in the path, if there is one. */
  readonly id: string;
}

type ControlRoute = Route<(call: ControlCall) => object | Promise<object>> & { readonly does: string };

/** A request to the control interface that cannot be carried out; its message says why. */
class ControlError extends Error {
  override readonly name = 'ControlError';

  constructor(
    readonly status: 400 | 404 | 405 | 409 | 413 | 415,
    message: string,
    readonly headers: NoRoute['headers'] = {},
  ) {
    super(message);
  }
}

/** The control interface, relative to where it is mounted. */
const routes: readonly ControlRoute[] = [
  { method: 'GET', path: '', handle: index, does: 'this description' },
  {
    method: 'GET',
    path: '/state',
    handle: state,
    does: 'what the phone page shows: settings, users, approvals, factors and messages; ?limit=N for the newest N of each',
  },
  {
    method: 'DELETE',
    path: '/state',
    handle: reset,
    does: 'forgets everything but the settings',
  },
  { method: 'POST', path: '/reset', handle: reset, does: 'the same as DELETE state' },
  {
    method: 'GET',
    path: '/messages',
    handle: messages,
    does: 'what came to the phones, oldest first; ?kind=, ?authyId=, ?phone= filter',
  },
  {
    method: 'GET',
    path: '/approvals',
    handle: approvals,
    does: "the approval requests, and Verify's challenges on devices, oldest first; ?status=, ?authyId=, ?identity= filter",
  },
  { method: 'GET', path: '/approvals/{id}', handle: approval, does: 'one of them, by uuid or by SID' },
  {
    method: 'POST',
    path: '/approvals/{id}',
    handle: answerApproval,
    does: 'answers it: {"answer": "approve" | "deny"}; returns it when the callback was delivered, failed or is late',
  },
  {
    method: 'GET',
    path: '/factors',
    handle: factors,
    does: "Verify's factors, with the current code of authenticators; ?identity= filters",
  },
  {
    method: 'POST',
    path: '/factors',
    handle: addFactor,
    does:
      '{"identity": text} or {"token": text}, and optionally "friendlyName": a push factor, as if an app had ' +
      'registered itself',
  },
  {
    method: 'DELETE',
    path: '/factors/{id}',
    handle: dropFactor,
    does: 'removes a factor, as if the app were uninstalled',
  },
  { method: 'GET', path: '/users', handle: users, does: 'the users, oldest first' },
  { method: 'GET', path: '/users/{id}', handle: user, does: 'one user' },
  {
    method: 'PUT',
    path: '/users/{id}',
    handle: changeUser,
    does: '{"app": bool, "confirmed": bool}: with the app, text messages and calls are ignored unless forced',
  },
  {
    method: 'GET',
    path: '/settings',
    handle: settings,
    does: 'the callback address, method and form, and the name',
  },
  {
    method: 'PUT',
    path: '/settings',
    handle: changeSettings,
    does:
      '{"callbackUrl": text | null, "callbackMethod": "POST" | "GET", "callbackForm": "2017" | "2019", ' +
      '"appName": text}, each optional',
  },
  { method: 'GET', path: '/faults', handle: faults, does: 'the faults that can still happen' },
  {
    method: 'PUT',
    path: '/faults',
    handle: changeFaults,
    does: '{"faults": [...]}: replaces all; each has a kind and its members, and may be scoped',
  },
  {
    method: 'GET',
    path: '/requests',
    handle: requests,
    does: 'the requests to the endpoints, without values, oldest first; ?method=, ?path= (a part) filter',
  },
];

/**
 * The control interface: JSON in, JSON out, errors as `{"error": "a sentence"}` with 400, 404, 405, 409,
 * 413 or 415. It may be mounted before or after a body parser.
 */
export function controlInterface(backend: ControlBackend): RequestHandler {
  return (request, response, next) => {
    serve(backend, request, response).catch(next);
  };
}

async function serve(
  backend: ControlBackend,
  request: MountedRequest,
  response: ServerResponse,
): Promise<void> {
  const { path, query } = pathAndQuery(request.url ?? '');
  try {
    const found = findRoute(routes, request.method ?? '', path);
    if (found.route === undefined) throw new ControlError(found.status, found.problem, found.headers);
    const { route, values } = found;
    if (route.method !== 'GET' && !isJson(request)) {
      throw new ControlError(
        415,
        'Content-Type has to be application/json: a form cannot change anything here.',
      );
    }
    const call = {
      backend,
      query: new URLSearchParams(query),
      body: await controlBody(request),
      id: values['id'] ?? '',
    };
    sendJson(response, 200, await route.handle(call));
  } catch (error) {
    const status = statusOf(error);
    if (status === undefined) throw error;
    const headers = error instanceof ControlError ? error.headers : {};
    sendJson(response, status, { error: (error as Error).message }, headers);
  }
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof ControlError) return error.status;
  if (error instanceof FaultError) return 400;
  // A factor that Verify would not have.
  if (error instanceof VerifyFailure) return 400;
  return error instanceof BodyTooLarge ? 413 : undefined;
}

/** The body: already parsed if the application around has a body parser, otherwise read here. */
async function controlBody(request: MountedRequest): Promise<Params> {
  if (request.body !== undefined && request.body !== null) {
    const parsed = asObject(request.body);
    if (parsed === undefined) throw new ControlError(400, 'The body has to be a JSON object.');
    return parsed;
  }
  const text = (await readBody(request)).toString('utf8').trim();
  if (text === '') return {};
  let parsed: Params | undefined;
  try {
    parsed = asObject(JSON.parse(text));
  } catch {
    throw new ControlError(400, 'The body is not valid JSON.');
  }
  if (parsed === undefined) throw new ControlError(400, 'The body has to be a JSON object.');
  return parsed;
}

function index({ backend }: ControlCall): object {
  return {
    simulator: 'Authy simulator: nothing here reaches a real phone',
    appName: backend.settings.appName,
    endpoints: [...authyEndpoints, ...verifyEndpoints],
    control: Object.fromEntries(
      routes.map(({ method, path, does }) => [`${method} ${path === '' ? '/' : path}`, does]),
    ),
    faults: faultDescription,
    phoneNumbersEndingIn: Object.fromEntries(
      Object.entries(lines).map(([ending, { meaning }]) => [ending, meaning]),
    ),
    keepsTheNewest: capacities,
  };
}

function state({ backend, query }: ControlCall): object {
  const limit = asInteger(query.get('limit') ?? '') ?? Infinity;
  if (Number.isNaN(limit)) throw new ControlError(400, 'limit has to be a whole number.');
  const { users, messages, entities, now } = backend.state;
  const newest = <T>(list: readonly T[]): readonly T[] =>
    limit === Infinity ? list : list.slice(Math.max(0, list.length - limit));
  return {
    ...settingsView(backend.settings),
    users: newest(users.all).map((user) => userView(user, now())),
    messages: newest(messages.all),
    approvals: newest(allAsked(backend)).map(({ view }) => view()),
    factors: newest(entities.factors).map((factor) => factorView(factor, now())),
  };
}

function reset({ backend }: ControlCall): object {
  backend.state.clear();
  backend.faults.clear();
  return { reset: true };
}

function messages({ backend, query }: ControlCall): object {
  const found = backend.state.messages.all.filter(
    (message) =>
      passesFilter(query, 'kind', message.kind) &&
      passesFilter(query, 'authyId', String(message.authyId)) &&
      passesFilter(query, 'phone', message.phone),
  );
  return { messages: found };
}

function approvals({ backend, query }: ControlCall): object {
  const found = allAsked(backend)
    .map(({ view }) => view())
    .filter(
      ({ status, authyId, identity }) =>
        passesFilter(query, 'status', status) &&
        passesFilter(query, 'authyId', String(authyId)) &&
        passesFilter(query, 'identity', String(identity)),
    );
  return { approvals: found };
}

function passesFilter(query: URLSearchParams, name: string, value: string): boolean {
  // A plus sign that was not encoded has become a space.
  return !query.has(name) || query.get(name)?.replace(/^ /, '+') === value;
}

function approval({ backend, id }: ControlCall): object {
  return askedWith(backend, id).view();
}

async function answerApproval({ backend, id, body }: ControlCall): Promise<object> {
  const answer = body['answer'];
  const asked = askedWith(backend, id);
  if (answer !== 'approve' && answer !== 'deny') {
    throw new ControlError(400, 'answer has to be "approve" or "deny".');
  }
  const { status } = asked.view();
  if (status !== 'pending') throw new ControlError(409, `The approval request is already ${status}.`);
  await asked.answer(answer);
  return asked.view();
}

function askedWith(backend: ControlBackend, id: string): Asked {
  const asked = findAsked(backend, id);
  if (asked === undefined) throw new ControlError(404, `There is no approval request ${id}.`);
  return asked;
}

function factors({ backend, query }: ControlCall): object {
  const { entities, now } = backend.state;
  const found = entities.factors.filter(({ entity }) => passesFilter(query, 'identity', entity.identity));
  return { factors: found.map((factor) => factorView(factor, now())) };
}

/** What an app of the customer's own does with Twilio's SDK. */
function addFactor({ backend, body }: ControlCall): object {
  requireKnown(body, ['identity', 'token', 'friendlyName']);
  const { state } = backend;
  const given = typeof body['token'] === 'string' ? state.accessTokens.withSecret(body['token']) : undefined;
  if ('token' in body && given === undefined) {
    throw new ControlError(400, 'Get a new token from AccessTokens: this one is not valid or has expired.');
  }
  const identity = given?.identity ?? asText(body['identity']);
  if (identity === undefined) throw new ControlError(400, 'Give an identity, or a token from AccessTokens.');
  const friendlyName = asText(body['friendlyName']) ?? given?.friendlyName ?? 'Simulated app';
  return factorView(enrol(backend, identity, friendlyName), state.now());
}

function dropFactor({ backend, id }: ControlCall): object {
  const factor = backend.state.entities.factors.find(({ uuid }) => uuid === uuidOf('YF', id));
  if (factor === undefined) throw new ControlError(404, `There is no factor ${id}.`);
  removeFactor(backend, factor);
  return factorView(factor, backend.state.now());
}

function users({ backend }: ControlCall): object {
  const { users, now } = backend.state;
  return { users: users.all.map((user) => userView(user, now())) };
}

function user({ backend, id }: ControlCall): object {
  return userView(findUser(backend, id), backend.state.now());
}

function changeUser({ backend, id, body }: ControlCall): object {
  const user = findUser(backend, id);
  const known = ['app', 'confirmed'] as const;
  requireKnown(body, known);
  for (const name of known) {
    if (body[name] !== undefined && typeof body[name] !== 'boolean') {
      throw new ControlError(400, `${name} has to be true or false.`);
    }
  }
  if (typeof body['app'] === 'boolean') user.app = body['app'];
  if (typeof body['confirmed'] === 'boolean') user.confirmed = body['confirmed'];
  return userView(user, backend.state.now());
}

function findUser({ state }: ControlBackend, id: string) {
  const user = state.users.get(Number(id));
  if (user === undefined) throw new ControlError(404, `There is no user ${id}.`);
  return user;
}

function settings({ backend }: ControlCall): object {
  return settingsView(backend.settings);
}

function settingsView(settings: Readonly<Settings>): object {
  const { callbackMethod, callbackForm, appName } = settings;
  return { appName, callbackUrl: callbackTarget(settings)?.url ?? null, callbackMethod, callbackForm };
}

function changeSettings({ backend, body }: ControlCall): object {
  requireKnown(body, ['callbackUrl', 'callbackMethod', 'callbackForm', 'appName']);
  backend.configure({
    ...('callbackUrl' in body ? { callbackUrl: readCallbackUrl(body['callbackUrl']) } : {}),
    ...('callbackMethod' in body ? { callbackMethod: readCallbackMethod(body['callbackMethod']) } : {}),
    ...('callbackForm' in body ? { callbackForm: readCallbackForm(body['callbackForm']) } : {}),
    ...('appName' in body ? { appName: readAppName(body['appName']) } : {}),
  });
  return settingsView(backend.settings);
}

function readCallbackUrl(value: unknown): string | undefined {
  if (value === null || value === '') return undefined;
  const problem = callbackUrlProblem(typeof value === 'string' ? value : '');
  if (problem !== undefined) throw new ControlError(400, `callbackUrl: ${problem}.`);
  return value as string;
}

function readCallbackMethod(value: unknown): CallbackMethod {
  if (value !== 'POST' && value !== 'GET') {
    throw new ControlError(400, 'callbackMethod has to be "POST" or "GET".');
  }
  return value;
}

function readCallbackForm(value: unknown): CallbackForm {
  if (value !== '2017' && value !== '2019') {
    throw new ControlError(400, 'callbackForm has to be "2017" or "2019".');
  }
  return value;
}

function readAppName(value: unknown): string {
  if (typeof value !== 'string' || value.trim() === '' || value.length > 30) {
    throw new ControlError(400, 'appName has to be a text of 1 to 30 characters.');
  }
  return value;
}

function faults({ backend }: ControlCall): object {
  return { faults: backend.faults.current };
}

function changeFaults(call: ControlCall): object {
  requireKnown(call.body, ['faults']);
  call.backend.faults.replace(call.body['faults']);
  return faults(call);
}

function requests({ backend, query }: ControlCall): object {
  const found = backend.state.requests.all.filter(
    ({ method, path }) =>
      passesFilter(query, 'method', method) && (!query.has('path') || path.includes(query.get('path') ?? '')),
  );
  return { count: found.length, requests: found };
}

function requireKnown(body: Params, known: readonly string[]): void {
  const unknown = Object.keys(body).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new ControlError(400, `"${unknown}" is not known here; known are ${known.join(', ')}.`);
  }
}
