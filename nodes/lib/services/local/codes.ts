import { randomUUID } from 'node:crypto';
import type { Person, Verification } from '../../contract/people';
import { withCount } from '../../people/counts';
import { emailOf, lockedPerson, masked, unknownPerson, usablePerson, recipientOf } from '../../people/known';
import { randomDigits } from '../../people/random-digits';
import { activeOf } from './authenticators';
import type { Context, Handler } from './context';
import { afterSent, asOf, noLimits, sendsIn } from './limits';
import { codeMessage } from './messages';
import { codeLifetime, tooManySent } from './sent-code';

type Channel = Verification['channel'];

/** The number of digits of a code that is sent to a person. */
const digits = 6;

/** What the hash of a code that was sent to a person is for. */
export function sentPlace({ authyId }: Pick<Person, 'authyId'>): string {
  return `a code that was sent to ${authyId}`;
}

/** Where a code goes by a channel. @throws AuthyError - `AUTHY_NOT_SENT` if there is no such address */
export function addressBy(channel: Channel, person: Person): string {
  return channel === 'email' ? emailOf(person) : person.phoneNumber;
}

/** A code by SMS or phone call: the two differ only in the channel. */
function sendToPhone(channel: 'sms' | 'call'): Handler<'tokenSms'> & Handler<'tokenCall'> {
  return async (context, { authyId, force = false, locale }, { signal }) => {
    const person = await usablePerson(context.people, authyId);
    const result = { authyId, maskedPhone: masked(person.phoneNumber) };
    const authenticator = activeOf(person);
    if (authenticator !== undefined && !force) {
      const { name: device } = authenticator;
      return { outcome: 'ignored', result: { ...result, sent: false, ignored: true, device } };
    }
    await send(context, person, channel, locale, signal);
    return { outcome: 'sent', result: { ...result, sent: true, ignored: false, device: null } };
  };
}

export const tokenSms = sendToPhone('sms');
export const tokenCall = sendToPhone('call');

/** It is always sent, whatever `force` says: the operation has no other outcome. */
export const tokenEmail: Handler<'tokenEmail'> = async (context, { authyId }, { signal }) => {
  const person = await usablePerson(context.people, authyId);
  const { id, to } = await send(context, person, 'email', undefined, signal);
  return { outcome: 'sent', result: { authyId, sent: true, email: to, emailId: id } };
};

/**
 * Makes a code, keeps its hash, and hands the code to the flow. It takes the place of the one before.
 *
 * @throws AuthyError - `AUTHY_NOT_SENT`, `AUTHY_LIMIT_REACHED`: then nothing has changed
 */
async function send(
  { people, noted, ...context }: Context,
  { authyId }: Person,
  channel: Channel,
  locale: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Verification> {
  const notify = await context.notifier(signal);
  const [id, code] = [randomUUID(), randomDigits(digits)];
  const [hash] = await people.hashes(sentPlace({ authyId }), code);
  if (hash === undefined) throw new Error('There is no key to keep a code with.');
  let wait = 0;
  const changed = await people.change(authyId, (person) => {
    if (person.locked === true) throw lockedPerson();
    const now = context.now();
    const limits = asOf(now, person.limits ?? noLimits);
    wait = sendsIn(now, limits);
    if (wait > 0) return limits === person.limits ? undefined : { ...person, limits };
    const to = addressBy(channel, person);
    const verification = { id, channel, to, startedAt: now, hash, tries: 0 };
    const after = { ...person, verification, limits: afterSent(now, limits) };
    return channel === 'email' ? after : withCount(after, now, channel === 'sms' ? 'sms' : 'calls');
  });
  if (wait > 0) throw tooManySent(wait);
  const sent = changed?.verification;
  if (changed === undefined || sent === undefined) throw unknownPerson();
  noted.note(id, context.steady());
  try {
    notify({
      topic: 'code',
      ...codeMessage(context, code, locale),
      to: recipientOf(changed),
      via: channel,
      expiresAt: sent.startedAt + codeLifetime,
    });
  } catch (error) {
    // Nobody has got it.
    await people.change(authyId, (person) =>
      person.verification?.id === id ? { ...person, verification: { ...sent, end: 'canceled' } } : undefined,
    );
    throw error;
  }
  return sent;
}
