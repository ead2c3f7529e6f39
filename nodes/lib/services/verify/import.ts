import { invalidInput } from '../../contract/errors';
import type { ValuesOf } from '../../contract/operations';
import type { People, Person } from '../../contract/people';
import type { CallOptions } from '../../contract/service';
import { importedFactor } from '../../people/imported-factor';
import { lockedPerson } from '../../people/known';
import { confirmFactor, isImported, stepNear, totpOf, type Tried, withImported } from './authenticators';
import { type Context, type Handler, stillThere } from './context';

/**
 * Adds somebody who was known elsewhere, with their ID and their authenticator. The same import again changes nothing.
 *
 * A code of the authenticator brings it to Twilio and confirms it at once. Without one, or if Twilio refuses it, the
 * authenticator waits here for the first right code of its owner.
 */
export const userImport: Handler<'userImport'> = async (context, values, call) => {
  const { authyId, totpSecret, token } = values;
  const known = await context.people.find(authyId);
  const isNew = totpSecret !== undefined && (known === undefined || takes(context, known));
  // Their code would be believed, now or later.
  if (isNew && known?.locked === true) throw lockedPerson();
  if (isNew) await checkSecret(context, known, totpSecret, token);
  let person = await added(context, values);
  if (isNew) person = await withSecret(context, person, totpSecret);
  const tried =
    isNew && token !== undefined ? await confirmed(context, person, totpSecret, token, call) : undefined;
  person = await stillThere(context, person);
  return { outcome: 'imported', result: resultOf(context, person), answer: tried?.answer };
};

function resultOf(context: Context, person: Person) {
  const { authyId, phoneNumber, countryCode, factors } = person;
  const waits = factors.some(isImported) ? 'imported' : null;
  const authenticator = takes(context, person) ? waits : 'confirmed';
  return { authyId, phoneNumber, countryCode, authenticator } as const;
}

/** Whether an authenticator can be imported: one that is confirmed stays the only one. */
function takes(context: Context, person: Person): boolean {
  return totpOf(context, person, 'verified') === undefined;
}

/** @throws AuthyError - `AUTHY_INVALID_INPUT`: nothing was changed, and Twilio was not asked */
async function checkSecret(
  context: Context,
  known: Person | undefined,
  secret: string,
  token: string | undefined,
): Promise<void> {
  if (token !== undefined && stepNear(context, secret, token) === undefined) {
    throw invalidInput(
      'token',
      'is no code of the secret at this moment. Read a new one, or leave it blank.',
    );
  }
  const isKnown = known?.factors.some((factor) => factor.secret === secret) === true;
  if (!isKnown && (await isSomebodys(context.people, secret))) {
    throw invalidInput('totpSecret', 'belongs to another user. Correct it, or leave it blank.');
  }
}

/** Whether somebody has an authenticator with this secret: a code of the one would count for the other. */
async function isSomebodys(people: People, secret: string): Promise<boolean> {
  for await (const { factors } of people.all()) {
    if (factors.some((factor) => factor.secret === secret)) return true;
  }
  return false;
}

/** An e-mail address that is known stays, as it does when a known user is created. */
async function added({ people }: Context, values: ValuesOf<'userImport'>): Promise<Person> {
  const { authyId, phoneNumber, countryCode = '', email = '' } = values;
  const there = await people.findByPhone(phoneNumber);
  if (there?.authyId === authyId && (there.email !== '' || email === '')) return there;
  return people.add({ authyId, phoneNumber, countryCode, email });
}

/** The person with this authenticator, in place of another one that was imported and never confirmed. */
async function withSecret(context: Context, person: Person, secret: string): Promise<Person> {
  const changed = await context.people.change(person.authyId, (one) => {
    const isThere = one.factors.some((factor) => isImported(factor) && factor.secret === secret);
    if (one.identity !== person.identity || isThere || !takes(context, one)) return undefined;
    const others = one.factors.filter((factor) => !isImported(factor));
    return { ...one, factors: [...others, importedFactor(secret, context.now())] };
  });
  return changed ?? stillThere(context, person);
}

/** @returns undefined if the authenticator did not come to Twilio */
async function confirmed(
  context: Context,
  person: Person,
  secret: string,
  token: string,
  call: () => CallOptions,
): Promise<Tried | undefined> {
  const brought = await withImported(context, person, token, call);
  // Another authenticator, whose QR code was shown here, must not be asked about this code.
  if (totpOf(context, brought, 'unverified')?.secret !== secret) return undefined;
  return confirmFactor(context, brought, { token, mayBeSent: false }, call);
}
