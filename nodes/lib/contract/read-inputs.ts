import { missingInput } from './errors';
import type { Inputs, Operation, Values } from './operations';
import { phone, type PhoneRule } from './phone';

/**
 * Validates the inputs that are known before there is a message. Those that are wrong are left out: the panel and each
 * message say so.
 *
 * @param raw - by input name
 */
export function readKnown(inputs: Inputs, raw: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, { parse }] of Object.entries(inputs)) {
    try {
      const value = raw[name];
      if (!isBlank(value)) values[name] = parse(value, name);
    } catch {
      continue;
    }
  }
  return values;
}

/**
 * Validates inputs. A phone number and its country code become the one number that they mean.
 *
 * @param entry - an operation, or anything with inputs like one
 * @param raw - the values from outside, by input name; blank is undefined, null or the empty text
 * @param phones - what a phone number has to be
 * @throws AuthyError - `AUTHY_INVALID_INPUT`, naming the input
 */
export function readInputs<I extends Inputs>(
  entry: Pick<Operation, 'check'> & { readonly inputs: I },
  raw: Readonly<Record<string, unknown>>,
  phones: PhoneRule = 'valid',
): Values<I> {
  const values: Record<string, unknown> = {};
  for (const [name, { parse, required }] of Object.entries(entry.inputs)) {
    const value = raw[name];
    if (!isBlank(value)) values[name] = parse(value, name);
    else if (required) throw missingInput(name);
  }
  entry.check?.(values);
  const { phoneNumber, countryCode } = values as Partial<Record<string, string>>;
  if (phoneNumber !== undefined) {
    const meant = phone(phoneNumber, countryCode, phones);
    Object.assign(values, { phoneNumber: meant.e164, countryCode: meant.countryCode });
  }
  return values as Values<I>;
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}
