import {
  type Handler,
  knownPerson,
  openVerification,
  personPath,
  servicePath,
  unknownPerson,
} from './context';
import { expectSame } from './client';
import { listFactors } from './factors';
import { noService } from './verifications';

/**
 * Verify knows no people: the account keeps them. The same phone number is the same person, whose e-mail address stays:
 * otherwise whoever knows the number could have the person's codes sent elsewhere.
 */
export const userCreate: Handler<'userCreate'> = async ({ people }, { email, phoneNumber, countryCode }) => {
  const known = await people.findByPhone(phoneNumber);
  const person =
    known !== undefined && known.email !== ''
      ? known
      : await people.add({ email, phoneNumber, countryCode: countryCode ?? '' });
  return {
    outcome: 'created',
    result: {
      authyId: person.authyId,
      phoneNumber: person.phoneNumber,
      countryCode: person.countryCode,
    },
  };
};

export const userStatus: Handler<'userStatus'> = async (context, { authyId }, call) => {
  const person = await knownPerson(context, authyId);
  const { value: factors, answer } = await listFactors(context, person, call);
  const verified = factors.filter(({ isVerified }) => isVerified);
  return {
    outcome: 'read',
    result: {
      authyId,
      confirmed: verified.length > 0,
      registered: null,
      maskedPhone: masked(person.phoneNumber),
      countryCode: person.countryCode,
      email: person.email === '' ? null : person.email,
      devices: verified.flatMap(({ name }) => name ?? []),
      hasHardToken: null,
      accountDisabled: null,
      identity: person.identity,
    },
    answer,
  };
};

export const userUpdate: Handler<'userUpdate'> = async ({ people }, { authyId, email }) => {
  const person = await people.change(authyId, ({ verification, ...one }) => ({
    ...one,
    email,
    // A code that went to the old address no longer counts.
    ...(verification === undefined || verification.channel === 'email' ? {} : { verification }),
  }));
  if (person === undefined) throw unknownPerson();
  return { outcome: 'updated', result: { authyId, email: person.email } };
};

/** First at Twilio: as long as that fails, the account knows what is left to be deleted. */
export const userDelete: Handler<'userDelete'> = async (context, { authyId }, call) => {
  const person = await knownPerson(context, authyId);
  const verification = openVerification(context, person);
  if (verification !== undefined) {
    await context.verify.call(
      {
        method: 'POST',
        path: servicePath(context, 'Verifications', verification.id),
        fields: { Status: 'canceled' },
        repeat: 'repeatable',
      },
      () => undefined,
      call(),
      // It has ended meanwhile.
      { 20404: () => undefined },
    );
  }
  const { answer } = await context.verify.call(
    { method: 'DELETE', path: personPath(context, person), repeat: 'repeatable' },
    () => undefined,
    call(),
    { 20404: () => undefined },
  );
  // "Not found" would also be the answer if the account named another service.
  await context.verify.call(
    { method: 'GET', path: servicePath(context), repeat: 'read' },
    ({ body }) => expectSame(body, 'sid', context.serviceSid),
    call(),
    noService,
  );
  await context.people.remove(authyId);
  return { outcome: 'deleted', result: { authyId, deleted: true }, answer };
};

/** All but the last four digits hidden, as Authy shows it. */
export function masked(phoneNumber: string): string {
  return `XXX-XXX-${phoneNumber.slice(-4)}`;
}
