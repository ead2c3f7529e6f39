import { created, knownPerson, masked, unknownPerson, withEmail } from '../../people/known';
import { activeOf } from './authenticators';
import type { Handler } from './context';

/**
 * An install link is an invitation here. Nobody is added who would wait for one that nobody sends. Whoever has it can answer for
 * the person: so it goes to those who are known as they were known before, and never to an address that came with it.
 */
export const userCreate: Handler<'userCreate'> = async (context, values, { signal }) => {
  const { people, notifier, approvals } = context;
  const isInvited = values.sendInstallLink === true;
  if (isInvited) {
    approvals.assertAddress();
    await notifier(signal);
  }
  const known = isInvited ? await people.findByPhone(values.phoneNumber) : undefined;
  const { authyId, phoneNumber, countryCode } = known ?? (await created(people, values));
  if (isInvited) await approvals.invite(authyId);
  return { outcome: 'created', result: { authyId, phoneNumber, countryCode } };
};

export const userStatus: Handler<'userStatus'> = async ({ people }, { authyId }) => {
  const person = await knownPerson(people, authyId);
  const authenticator = activeOf(person);
  return {
    outcome: 'read',
    result: {
      authyId,
      confirmed: authenticator !== undefined,
      registered: null,
      maskedPhone: masked(person.phoneNumber),
      countryCode: person.countryCode,
      email: person.email === '' ? null : person.email,
      devices: authenticator === undefined ? [] : [authenticator.name],
      hasHardToken: null,
      accountDisabled: null,
      identity: null,
    },
  };
};

export const userUpdate: Handler<'userUpdate'> = async ({ people }, values) => {
  const { authyId, email } = await withEmail(people, values.authyId, values.email);
  return { outcome: 'updated', result: { authyId, email } };
};

export const userDelete: Handler<'userDelete'> = async ({ people }, { authyId }) => {
  if (!(await people.remove(authyId))) throw unknownPerson();
  return { outcome: 'deleted', result: { authyId, deleted: true } };
};

/** A line in the log. It leaves `data` out, which may be personal: logs go to many places. */
export const userActivity: Handler<'userActivity'> = async ({ people, log }, { authyId, activity }) => {
  await knownPerson(people, authyId);
  log(`Activity of the user ${authyId}: ${activity}`);
  return { outcome: 'recorded', result: { authyId, activity } };
};
