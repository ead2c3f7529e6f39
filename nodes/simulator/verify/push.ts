import { asObject } from '../parameters';
import type { Challenge, ChallengeDetails } from '../state/challenges';
import type { PushFactor } from '../state/factors';
import type { VerifyCall } from './call';
import { invalidParameter } from './replies';
import { type Form, objectOf, tooLong } from './form';

const minute = 60_000;

/** How long a challenge is open: unless another time is asked for, and at most. */
export const lifetime = { usual: 5 * minute, maximal: 60 * minute };

/** How many fields a challenge may show, and how long the parts of one may be. */
const fieldLimits = { count: 20, label: 36, value: 128 };

/** Asks a person on the device of a factor. @throws VerifyFailure - 60200 */
export function askDevice({ form, backend }: VerifyCall, factor: PushFactor): Challenge {
  const { challenges, now } = backend.state;
  const details = detailsIn(form);
  const hiddenDetails = form.texts('HiddenDetails', { length: 1024 }) ?? null;
  const expiresAt = form.date('ExpirationDate') ?? now() + lifetime.usual;
  if (expiresAt <= now() || expiresAt > now() + lifetime.maximal) {
    throw invalidParameter('ExpirationDate', 'it has to be within the next 60 minutes');
  }
  return challenges.ask(factor, { details, hiddenDetails, expiresAt });
}

function detailsIn(form: Form): ChallengeDetails {
  const message = form.upTo(256, 'Details.Message') ?? form.required('Details.Message');
  const fields = form.all('Details.Fields');
  if (fields.length > fieldLimits.count) {
    throw invalidParameter('Details.Fields', `there are more than ${fieldLimits.count}`);
  }
  return { message, fields: fields.map(readField) };
}

function readField(text: string): ChallengeDetails['fields'][number] {
  const name = 'Details.Fields';
  const { label, value } = asObject(objectOf(name, text)) ?? {};
  if (typeof label !== 'string' || typeof value !== 'string') {
    throw invalidParameter(name, 'each of them needs a label and a value, both texts');
  }
  if (label.length > fieldLimits.label) throw tooLong(name, fieldLimits.label);
  if (value.length > fieldLimits.value) throw tooLong(name, fieldLimits.value);
  return { label, value };
}
