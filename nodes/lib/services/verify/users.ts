import { created, knownPerson, masked, withEmail } from '../../people/known';
import { type Handler, openVerification, personPath, servicePath } from './context';
import { expectSame } from './client';
import { listFactors } from './factors';
import { noService } from './verifications';

/** Verify knows no people: the account keeps them. */
export const userCreate: Handler<'userCreate'> = async ({ people }, values) => {
  const { authyId, phoneNumber, countryCode } = await created(people, values);
  return { outcome: 'created', result: { authyId, phoneNumber, countryCode } };
};

export const userStatus: Handler<'userStatus'> = async (context, { authyId }, call) => {
  const person = await knownPerson(context.people, authyId);
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

export const userUpdate: Handler<'userUpdate'> = async ({ people }, values) => {
  const { authyId, email } = await withEmail(people, values.authyId, values.email);
  return { outcome: 'updated', result: { authyId, email } };
};

/** First at Twilio: as long as that fails, the account knows what is left to be deleted. */
export const userDelete: Handler<'userDelete'> = async (context, { authyId }, call) => {
  const person = await knownPerson(context.people, authyId);
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
