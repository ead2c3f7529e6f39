import { findRoute, type FoundRoute } from '../../lib/server/router';
import type { Backend } from '../backend';
import type { Incoming, Protocol } from '../endpoints';
import { asText, mergeParameters, ParameterError } from '../parameters';
import type { Reply } from '../reply';
import { applicationRoutes } from './application';
import type { CallRoute } from './call';
import { onetouchRoutes } from './onetouch';
import { phoneRoutes } from './phones';
import { authyErrors, Failure } from './replies';
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
export const authyEndpoints: readonly string[] = routes.map(({ method, path }) => `${method} ${path}`);

/** Authy's endpoints; a path that nobody knows gets Authy's answer. */
export function authyProtocol(backend: Backend): Protocol {
  return {
    covers: () => true,
    find: (method, path) => {
      const found = findRoute(routes, method, path);
      return {
        isPolled: found.route?.isPolled === true,
        answer: (incoming) => carryOut(backend, incoming, found),
      };
    },
    errors: authyErrors,
    shownPath: (path) => path.replace(/^(\/protected\/json\/verify\/)[^/]+/, '$1***'),
    parameterNames,
  };
}

function carryOut(
  { state, settings, languages }: Backend,
  incoming: Incoming,
  found: FoundRoute<CallRoute>,
): Reply {
  try {
    if (found.route === undefined) {
      // To Authy, another method is an unknown address.
      throw found.status === 400 ? invalidRequest(found.problem) : unknownUrl(incoming.path);
    }
    const params = mergeParameters(incoming.query, incoming.headers['content-type'], incoming.body);
    const key = incoming.headers['x-authy-api-key'] ?? asText(params['api_key']);
    if (key !== settings.apiKey) throw new Failure('invalidKey');
    state.statistics.count('api_calls_count');
    const language = languages.ofLocale(asText(params['locale']));
    return found.route.handle({ state, settings, params, language, path: found.values });
  } catch (error) {
    if (error instanceof Failure) return error.reply;
    if (error instanceof ParameterError) {
      return invalidRequest(error.message).reply;
    }
    throw error;
  }
}

function invalidRequest(problem: string): Failure {
  return new Failure('invalidRequest', { message: `Invalid request: ${problem}` });
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
