import type { ApprovalRequest } from '../../contract/people';
import { without } from '../../contract/without';
import { recoveryCodesLeft } from '../../people/recovery';
import { canPush } from '../address';
import type { Approver } from '../approver';
import type { SignedIn } from '../asking';
import { challengeOf, signedText } from '../canonical';
import { numberOf } from '../enrolment';
import { endedAt, historyOf, openRequests, outcomeOf } from '../requests';

/** How many answers the page shows. */
const mostShown = 50;

/** What the page shows to somebody who is not signed in. */
export function signedOutState({ host, page }: Approver): object {
  const { grade, isLocalOnly } = page;
  return { account: host.settings.name, grade, isLocalOnly, signedIn: false };
}

/** What the page shows to a person. @param pushKey - for Web Push; null if there is none */
export function stateOf(
  { host, page }: Approver,
  { person, phone }: SignedIn,
  pushKey: string | null,
): object {
  const { grade, isLocalOnly } = page;
  const { authyId, phones = [] } = person;
  return {
    account: host.settings.name,
    ...{ grade, isLocalOnly },
    signedIn: true,
    now: host.now(),
    phone: {
      id: phone.id,
      name: phone.name,
      grade: phone.passkey === undefined ? 'code' : 'passkey',
      number: numberOf(phone),
    },
    phones: phones.length,
    recoveryLeft: recoveryCodesLeft(person) ?? 0,
    requests: openRequests(person, host)
      .reverse()
      .map((request) => shown(authyId, request)),
    history: historyOf(person, host)
      .slice(0, mostShown)
      .map((request) => ended(request)),
    push: { key: canPush(host.settings) ? pushKey : null, isOn: phone.push !== undefined },
  };
}

function shown(authyId: string, request: ApprovalRequest): object {
  return { ...without(request, 'answer'), authyId, challenge: challengeOf(signedText(authyId, request)) };
}

function ended(request: ApprovalRequest): object {
  const { id, asker, message, details, answer } = request;
  return {
    ...{ id, asker, message, details, outcome: outcomeOf(request) },
    at: endedAt(request),
    phone: answer?.phone.name ?? null,
  };
}
