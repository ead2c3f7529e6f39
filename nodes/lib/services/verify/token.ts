import type { CallOptions, Performed } from '../../contract/service';
import type { Person } from '../../contract/people';
import { askFactor, confirmFactor, type Reason, type Tried, withImported } from './authenticator-codes';
import { usablePerson } from '../../people/known';
import { type Context, type Handler, isOfTwilio, openVerification, stillThere } from './context';
import { type Checked, checkVerification } from './verifications';

type End = NonNullable<NonNullable<Person['verification']>['end']>;

/** The reasons, the one that says most first: a token may have been tried as several codes. */
const reasons: readonly Reason[] = ['reused', 'tooManyAttempts', 'expired', 'wrong', 'notPending'];

/**
 * A token is the code of an authenticator, or the code that was sent. A new authenticator is confirmed by its first right
 * code; then a code that was sent counts before a code of the authenticator.
 */
export const tokenVerify: Handler<'tokenVerify'> = async (context, { authyId, token }, call) => {
  const person = await withImported(context, await usablePerson(context.people, authyId), token, call);
  const tried: Tried[] = [];
  for (const attempt of [confirmFactor, checkSent, askFactor]) {
    const one = await attempt(context, person, token, call);
    if (one !== undefined) tried.push(one);
    if (one?.result === 'valid') break;
  }
  return performed(authyId, tried);
};

function performed(authyId: string, tried: readonly Tried[]): Performed<'tokenVerify'> {
  const valid = tried.find(({ result }) => result === 'valid');
  if (valid !== undefined) {
    const { answer } = valid;
    return { outcome: 'valid', result: { authyId, valid: true, reason: null, device: null }, answer };
  }
  // Nothing was sent, and there is no authenticator: nothing could be right.
  const reason = reasons.find((one) => tried.some(({ result }) => result === one)) ?? 'notPending';
  const answer = tried.find(({ result }) => result === reason)?.answer;
  return { outcome: 'invalid', result: { authyId, valid: false, reason, device: null }, answer };
}

// ---- a code that was sent

async function checkSent(
  context: Context,
  person: Person,
  token: string,
  call: () => CallOptions,
): Promise<Tried | undefined> {
  const { authyId, identity, verification } = person;
  if (verification === undefined || !isOfTwilio(verification)) return undefined;
  if (verification.end !== undefined) return { result: endedReason(verification.end) };
  if (openVerification(context, person) === undefined) return { result: 'expired' };
  const { id: sid, to } = verification;
  // It went to an address that is no longer the person's.
  if (to !== (verification.channel === 'email' ? person.email : person.phoneNumber)) {
    return { result: 'notPending' };
  }
  const { value, answer } = await checkVerification(context, { sid, to }, token, call);
  const { checked } = value;
  // "Not pending" is not recorded: it is also the answer while the account names another service.
  if (checked === 'wrong' || checked === 'notPending') return { result: checked, answer };
  const ended = await context.people.change(authyId, (one) =>
    one.identity === identity && one.verification?.id === sid && one.verification.end === undefined
      ? { ...one, verification: { ...one.verification, end: endOf(checked) } }
      : undefined,
  );
  if (checked !== 'approved') return { result: checked, answer };
  if (ended !== undefined) return { result: 'valid', answer };
  // Another message with the same code was first, or the person was removed meanwhile.
  await stillThere(context, person);
  return { result: 'reused', answer };
}

function endOf(checked: Exclude<Checked, 'wrong' | 'notPending'>): End {
  switch (checked) {
    case 'approved':
      return 'approved';
    case 'tooManyAttempts':
      return 'failed';
    case 'expired':
      return 'expired';
  }
}

function endedReason(end: End): Reason {
  switch (end) {
    case 'approved':
      return 'notPending';
    case 'failed':
      return 'tooManyAttempts';
    case 'expired':
      return 'expired';
    case 'canceled':
      return 'notPending';
  }
}
