import { findRoute, type FoundRoute, type NoRoute } from '../../lib/server/router';
import type { Backend } from '../backend';
import type { Incoming, Protocol } from '../endpoints';
import type { Reply } from '../reply';
import { accessTokenRoutes } from './access-tokens';
import { attemptRoutes } from './attempts';
import type { VerifyRoute } from './call';
import { challengeRoutes } from './challenges';
import { entityRoutes } from './entities';
import { factorRoutes } from './factors';
import { Form } from './form';
import { lookupRoutes } from './lookups';
import { notificationRoutes } from './notifications';
import { notFound, unauthorized, verifyErrors, VerifyFailure } from './replies';
import { serviceRoutes } from './service';
import type { VerifySettings } from './settings';
import { verificationRoutes } from './verifications';
import { webhookRoutes } from './webhooks';

/** Every endpoint of Twilio Verify and Lookup that the simulator has. Source: https://www.twilio.com/docs/verify/api */
const routes: readonly VerifyRoute[] = [
  ...verificationRoutes,
  ...entityRoutes,
  ...factorRoutes,
  ...challengeRoutes,
  ...notificationRoutes,
  ...accessTokenRoutes,
  ...webhookRoutes,
  ...serviceRoutes,
  ...attemptRoutes,
  ...lookupRoutes,
];

/** The methods and paths of the endpoints, for people to read. */
export const verifyEndpoints: readonly string[] = routes.map(({ method, path }) => `${method} ${path}`);

/** What a path says as it is, beside SIDs: the rest may be a phone number or an identity. */
const words: ReadonlySet<string> = new Set(routes.flatMap(({ path }) => path.split('/')));

/** Twilio's endpoints: those of Verify, and those of Lookup at the same address. */
export function verifyProtocol(backend: Backend): Protocol {
  return {
    covers: (path) => path.startsWith('/v2/'),
    find: (method, path) => {
      const found = findRoute(routes, method, path);
      return {
        isPolled: found.route?.isPolled === true,
        answer: (incoming) => carryOut(backend, incoming, found),
      };
    },
    errors: verifyErrors,
    shownPath: (path) =>
      path
        .split('/')
        .map((segment) => (words.has(segment) || /^[A-Z]{2}[0-9a-f]{32}$/.test(segment) ? segment : '***'))
        .join('/'),
    parameterNames: (incoming) => formOf(incoming).names,
  };
}

function carryOut(backend: Backend, incoming: Incoming, found: FoundRoute<VerifyRoute>): Reply {
  const { verify } = backend.settings;
  const { headers, path } = incoming;
  try {
    if (!isAuthorized(headers.authorization, verify)) throw unauthorized();
    if (found.route === undefined) throw unroutable(found, path);
    const { route, values } = found;
    if (values['service'] !== undefined && values['service'] !== verify.serviceSid) {
      throw notFound(`/v2/Services/${values['service']}`);
    }
    const baseUrl = `http://${headers.host ?? ''}`;
    return route.handle({ backend, verify, form: formOf(incoming), values, path, baseUrl });
  } catch (error) {
    if (error instanceof VerifyFailure) return error.reply;
    throw error;
  }
}

function unroutable({ status, problem, headers }: NoRoute, path: string): VerifyFailure {
  if (status === 405) return new VerifyFailure('methodNotAllowed', undefined, headers);
  return status === 400 ? new VerifyFailure('invalidParameter', problem) : notFound(path);
}

/** Whether it is the account or its API key; nobody else's. */
function isAuthorized(authorization: string | undefined, verify: VerifySettings): boolean {
  const credentials = /^Basic ([\w+/=]+)$/i.exec(authorization ?? '')?.[1] ?? '';
  return [`${verify.accountSid}:${verify.authToken}`, `${verify.apiKeySid}:${verify.apiKeySecret}`].includes(
    Buffer.from(credentials, 'base64').toString('utf8'),
  );
}

function formOf({ method, query, headers, body }: Incoming): Form {
  if (method !== 'POST') return new Form(query);
  const isForm = headers['content-type']?.toLowerCase().startsWith('application/x-www-form-urlencoded');
  return new Form(isForm === true ? body.toString('utf8') : '');
}
