import type { CodeVerdict } from '../../contract/approver';
import { AuthyError } from '../../contract/errors';
import type { CallOptions } from '../../contract/service';
import type { Person } from '../../contract/people';
import { askFactor, confirmFactor, type Reason, type Tried, type Way, withImported } from './authenticators';
import { usablePerson } from '../../people/known';
import { type Context, type Handler, isOfTwilio, openVerification, stillThere, stillUsable } from './context';
import { type Checked, checkVerification } from './verifications';

type End = NonNullable<NonNullable<Person['verification']>['end']>;

/** The reasons, the one that says most first: a token may have been tried as several codes. */
const reasons: readonly Reason[] = ['reused', 'tooManyAttempts', 'expired', 'wrong', 'notPending'];

/**
 * A token is the code of an authenticator, or the code that was sent. A new authenticator is confirmed by its first right
 * code; then a code that was sent counts before a code of the authenticator.
 */
export const tokenVerify: Handler<'tokenVerify'> = async (context, values, call) => {
  const { authyId } = values;
  const { result, answer } = await judged(context, values, [confirmFactor, checkSent, askFactor], call);
  return result === 'valid'
    ? { outcome: 'valid', result: { authyId, valid: true, reason: null, device: null }, answer }
    : { outcome: 'invalid', result: { authyId, valid: false, reason: result, device: null }, answer };
};

/**
 * Judges a code of the person's authenticator alone: one that was sent is no answer to an approval request.
 *
 * @throws AuthyError - those of Twilio; `AUTHY_NOT_FOUND` if it knows no authenticator of the person
 */
export async function checkAuthenticatorCode(
  context: Context,
  authyId: string,
  token: string,
  call: () => CallOptions,
): Promise<CodeVerdict> {
  const { result } = await judged(context, { authyId, token }, [confirmFactor, askFactor], call);
  switch (result) {
    case 'notPending':
      throw new AuthyError(
        'AUTHY_NOT_FOUND',
        `Make a new QR code for the user ${authyId}: Twilio knows no authenticator of theirs (any more).`,
      );
    case 'expired':
      return 'wrong';
    default:
      return result;
  }
}

/** Tries a token in one way after the other, until it is valid. */
async function judged(
  context: Context,
  { authyId, token }: { readonly authyId: string; readonly token: string },
  ways: readonly Way[],
  call: () => CallOptions,
): Promise<Tried> {
  const person = await withImported(context, await usablePerson(context.people, authyId), token, call);
  const mayBeSent = ways.includes(checkSent) && openVerification(context, person) !== undefined;
  const tried: Tried[] = [];
  for (const attempt of ways) {
    const one = await attempt(context, person, { token, mayBeSent }, call);
    if (one?.result === 'valid') {
      await stillUsable(context, person);
      return one;
    }
    if (one !== undefined) tried.push(one);
  }
  // Nothing was sent, and there is no authenticator: nothing could be right.
  const reason = reasons.find((one) => tried.some(({ result }) => result === one)) ?? 'notPending';
  return tried.find(({ result }) => result === reason) ?? { result: reason };
}

// ---- a code that was sent

const checkSent: Way = async (context, person, { token }, call) => {
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
};

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
