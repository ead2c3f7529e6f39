import type { CallOptions, ServiceAnswer } from '../../contract/service';
import type { Person } from '../../contract/people';
import { emailOf, usablePerson, masked, unknownPerson } from '../../people/known';
import type { Context, Handler } from './context';
import { uuidOf } from './sids';
import { type Channel, startVerification, type StartedVerification } from './verifications';

/** A code by SMS or phone call: the two differ only in the channel. */
function sendToPhone(channel: 'sms' | 'call'): Handler<'tokenSms'> & Handler<'tokenCall'> {
  return async (context, { authyId, locale }, call) => {
    const person = await usablePerson(context.people, authyId);
    const { answer } = await send(context, person, channel, person.phoneNumber, locale, call);
    return {
      outcome: 'sent',
      result: { authyId, sent: true, ignored: false, maskedPhone: masked(person.phoneNumber), device: null },
      answer,
    };
  };
}

export const tokenSms = sendToPhone('sms');
export const tokenCall = sendToPhone('call');

export const tokenEmail: Handler<'tokenEmail'> = async (context, { authyId }, call) => {
  const person = await usablePerson(context.people, authyId);
  const email = emailOf(person);
  const { value, answer } = await send(context, person, 'email', email, undefined, call);
  return {
    outcome: 'sent',
    result: { authyId, sent: true, email, emailId: uuidOf(value.sid) },
    answer,
  };
};

async function send(
  context: Context,
  { authyId }: Person,
  channel: Channel,
  to: string,
  locale: string | undefined,
  call: () => CallOptions,
): Promise<{ value: StartedVerification; answer: ServiceAnswer }> {
  const startedAt = context.now();
  const { value, answer } = await startVerification(context, to, channel, { locale }, call);
  const changed = await context.people.change(authyId, ({ verification, ...person }) => {
    // Within its ten minutes, another start sends the same code again.
    const isSame = verification?.id === value.sid && verification.end === undefined;
    return {
      ...person,
      verification: isSame ? verification : { id: value.sid, channel, to, startedAt },
    };
  });
  if (changed === undefined) throw unknownPerson();
  return { value, answer };
}
