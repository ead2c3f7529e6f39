import { createHmac } from 'node:crypto';
import { isoSeconds } from '../iso-time';
import type { Reply } from '../reply';
import type { AccessToken } from '../state/access-tokens';
import { addressOf, owned, service, type VerifyCall, type VerifyRoute } from './call';
import { requireIdentity } from './entities';
import { created, invalidParameter, notFound, ok } from './replies';
import { sidOf, uuidOf } from './sids';

/** What allows an app of the customer's own to register itself as a factor. */
export const accessTokenRoutes: readonly VerifyRoute[] = [
  { method: 'POST', path: `${service}/AccessTokens`, handle: create },
  { method: 'GET', path: `${service}/AccessTokens/{token}`, handle: read },
];

function create(call: VerifyCall): Reply {
  const { form, backend } = call;
  const identity = requireIdentity(form.required('Identity'), 'Identity');
  if (form.oneOf('FactorType', ['push']) === undefined)
    throw invalidParameter('FactorType', 'it is required');
  const friendlyName = form.upTo(64, 'FactorFriendlyName');
  const ttl = form.integer('Ttl', 60, 300) ?? 60;
  return created(
    view(
      call,
      backend.state.accessTokens.add({ identity, friendlyName, ttl }, (parts) => signed(call, parts)),
    ),
  );
}

function read(call: VerifyCall): Reply {
  const uuid = uuidOf('YK', call.values['token'] ?? '');
  const found = uuid === undefined ? undefined : call.backend.state.accessTokens.get(uuid);
  if (found === undefined) throw notFound(call.path);
  return ok(view(call, found));
}

/** A token as apps carry them (RFC 7519). The simulator looks it up, so nothing depends on what is in it. */
function signed(
  { verify }: VerifyCall,
  { uuid, identity, createdAt, ttl }: Omit<AccessToken, 'secret'>,
): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const now = Math.floor(createdAt / 1000);
  const claims = {
    jti: sidOf('YK', uuid),
    iss: verify.apiKeySid,
    sub: verify.accountSid,
    iat: now,
    exp: now + ttl,
    grants: { identity, service_sid: verify.serviceSid, factor: 'push' },
  };
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${text}.${createHmac('sha256', verify.apiKeySecret).update(text).digest('base64url')}`;
}

function view(call: VerifyCall, token: AccessToken) {
  return {
    ...owned(call, 'YK', token.uuid),
    entity_identity: token.identity,
    factor_type: 'push',
    factor_friendly_name: token.friendlyName ?? null,
    token: token.secret,
    url: addressOf(call, `/AccessTokens/${sidOf('YK', token.uuid)}`),
    ttl: token.ttl,
    date_created: isoSeconds(token.createdAt),
  };
}
