import { isoSeconds } from '../iso-time';
import { asInteger, asList, asObject, asText } from '../parameters';
import type { Reply } from '../reply';
import { application } from '../settings';
import type { Logo } from '../state/approvals';
import { objectId } from '../state/random';
import { type Call, type CallRoute, userOf } from './call';
import { Failure, success } from './replies';

/** In seconds; 0 is never. */
const defaultLifetime = 86_400;

/** Ten years: later times would not be valid dates. */
const maximalLifetime = 315_360_000;

const logoSizes = ['default', 'low', 'med', 'high'];

/** Approval requests: rows P1 and P2 of Authy's endpoints. */
export const onetouchRoutes: readonly CallRoute[] = [
  { method: 'POST', path: '/onetouch/json/users/{id}/approval_requests', handle: create },
  { method: 'GET', path: '/onetouch/json/approval_requests/{uuid}', handle: read, isPolled: true },
];

function create(call: Call): Reply {
  const user = userOf(call);
  const { params } = call;
  const message = asText(params['message']);
  if (message === undefined) throw invalid("message can't be blank");
  const secondsToExpire = asInteger(params['seconds_to_expire']) ?? defaultLifetime;
  if (!(secondsToExpire <= maximalLifetime)) {
    throw invalid(`seconds_to_expire must be an integer from 0 to ${maximalLifetime}`);
  }
  const { uuid } = call.state.approvals.ask(user, {
    message,
    details: readTexts('details', params['details']),
    hiddenDetails: readTexts('hidden_details', params['hidden_details']),
    logos: readLogos(params['logos']),
    secondsToExpire,
  });
  return success({ approval_request: { uuid } });
}

function read(call: Call): Reply {
  const uuid = call.path['uuid'] ?? '';
  const { approvals } = call.state;
  const approval = approvals.get(uuid);
  if (approval === undefined) {
    throw new Failure('approvalNotFound', { message: `Approval request not found: ${uuid}` });
  }
  const { user, createdAt, expiresAt, answeredAt } = approval;
  const status = approvals.statusOf(approval);
  const processedAt = answeredAt ?? (status === 'expired' ? expiresAt : undefined);
  return success({
    approval_request: {
      _app_name: call.settings.appName,
      _app_serial_id: application.serialId,
      _authy_id: user.id,
      _id: objectId(approval.uuid),
      _user_email: user.emails[0],
      app_id: application.id,
      created_at: isoSeconds(createdAt),
      // False in every answer that was seen, in every state of the request.
      notified: false,
      processed_at: processedAt === undefined ? null : isoSeconds(processedAt),
      seconds_to_expire: approval.secondsToExpire,
      status,
      updated_at: isoSeconds(processedAt ?? createdAt),
      user_id: objectId(`user ${user.id}`),
      uuid: approval.uuid,
    },
  });
}

/** Labels and values; null if there are none. */
function readTexts(name: string, value: unknown): Record<string, string> | null {
  if (value === undefined || value === null || value === '') return null;
  const object = asObject(value);
  // PHP writes an empty map as an empty list.
  if (object === undefined && !(Array.isArray(value) && value.length === 0))
    throw invalid(`${name} must be a map of texts`);
  const texts = Object.entries(object ?? {}).map(([label, text]): [string, string] => {
    if (typeof text === 'object' && text !== null) throw invalid(`${name} must be a map of texts`);
    return [label, asText(text) ?? ''];
  });
  return texts.length === 0 ? null : Object.fromEntries(texts);
}

function readLogos(value: unknown): Logo[] | null {
  if (value === undefined || value === null || value === '') return null;
  if (Array.isArray(value) && value.length === 0) return null;
  const logos = asList(value);
  if (logos === undefined) throw invalid('logos must be a list of res and url');
  return logos.map((logo) => {
    const { res, url } = asObject(logo) ?? {};
    const [size, address] = [asText(res) ?? '', asText(url) ?? ''];
    if (!logoSizes.includes(size) || address === '') {
      throw invalid(`each of the logos needs a url, and as res one of ${logoSizes.join(', ')}`);
    }
    // Res before url: so they are signed in the order in which every client sorts them.
    return { res: size, url: address };
  });
}

function invalid(problem: string): Failure {
  return new Failure('approvalInvalid', { message: `Approval request is invalid: ${problem}.` });
}
