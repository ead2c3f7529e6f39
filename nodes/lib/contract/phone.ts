import type * as CoreLibrary from 'libphonenumber-js/core';
import type * as PhoneLibrary from 'libphonenumber-js/max';
import { type AuthyError, invalidInput } from './errors';

type PhoneNumber = PhoneLibrary.PhoneNumber;

/** A phone number as Authy takes it: country code and national number separately. */
export interface Phone {
  /** The calling code, digits only. */
  countryCode: string;
  /** The national number, digits only. */
  nationalNumber: string;
  /** The whole number in E.164 format, such as `+13175550123`. */
  e164: string;
}

/**
 * What a phone number has to be: `valid`, so that somebody can have it, or `possible`, so that only its length fits the
 * country, as with the made-up numbers that people try simulators with.
 */
export type PhoneRule = 'valid' | 'possible';

/** What a country code stands for: a calling code and, in Authy's own codes of four digits, how its numbers begin. */
interface Country {
  readonly callingCode: string;
  readonly beginning: string;
}

/**
 * Finds out which number is meant. One that begins with + carries its country, and the code given beside it does not count.
 * Any other is read in every way that people of that country write numbers: as a national one, with the international
 * prefix in front (00, or that country's), or with the country code and no plus. It is accepted only if all readings that
 * make sense give the same number: a code must not go to somebody else.
 *
 * @param number - a value that the parser `phoneNumber` let through
 * @param country - a value that the parser `countryCode` let through, if one is given
 * @throws AuthyError - `AUTHY_INVALID_INPUT`
 */
export function phone(number: string, country: string | undefined, rule: PhoneRule): Phone {
  const readings = number.startsWith('+') ? internationalReadings(number) : nationalReadings(number, country);
  // Most possible numbers belong to nobody: they count only if there is no valid reading, as with made-up numbers.
  const valid = different(readings.filter((reading) => reading?.isValid()));
  const found =
    valid.length > 0 || rule === 'valid'
      ? valid
      : different(readings.filter((reading) => reading?.isPossible()));
  const [only, ...others] = found;
  if (only === undefined) throw refused(number, country, rule, readings);
  if (others.length > 0) {
    throw invalidInput(
      'phoneNumber',
      `can be read as two numbers in the country with code ${country ?? ''}. Begin it with + and its country code.`,
    );
  }
  return { countryCode: only.countryCallingCode, nationalNumber: only.nationalNumber, e164: only.number };
}

/** In +39 (0) 312 345 6789 the zero is left out or is a part of the number, depending on the country. */
function internationalReadings(number: string): (PhoneNumber | undefined)[] {
  return [...new Set([number, number.replace('(0)', '')])].map((text) => parse(text));
}

function nationalReadings(number: string, code: string | undefined): (PhoneNumber | undefined)[] {
  if (code === undefined) {
    throw invalidInput(
      'phoneNumber',
      'is of no known country. Begin it with + and the country code, such as +13175550123, or give a country code as well.',
    );
  }
  const country = countryOf(code);
  const { callingCode, beginning } = country;
  const digits = number.replace(/[^0-9]/g, '');
  const abroad = [/^00/, dialledAbroad(callingCode)].map((prefix) =>
    prefix.test(digits) ? parse(`+${digits.replace(prefix, '')}`) : undefined,
  );
  const atHome = [
    parse(number, callingCode),
    digits.startsWith(callingCode) ? parse(`+${digits}`) : undefined,
    beginning === '' ? undefined : parse(`+${callingCode}${beginning}${digits}`),
  ];
  return [...abroad, ...atHome.filter((reading) => isOf(reading, country))];
}

/**
 * Authy's form helper has codes of four digits for the countries within +1, such as 1787 for Puerto Rico, and 5999 is Curaçao:
 * calling code and area code in one.
 *
 * @throws AuthyError - if no country has this code
 */
function countryOf(code: string): Country {
  if (parse(`+${code}22`)?.countryCallingCode === code) return { callingCode: code, beginning: '' };
  const [, callingCode, beginning] = /^(1|599)([2-9][0-9]{2}|9)$/.exec(code) ?? [];
  if (callingCode !== undefined && beginning !== undefined) {
    const country = { callingCode, beginning };
    const name = nameOf(country);
    // Authy has no such codes for the United States and Canada: their numbers have +1.
    if (name !== undefined && name !== 'US' && name !== 'CA') return country;
  }
  throw invalidInput('countryCode', `is ${code}, the calling code of no country.`);
}

function nameOf({ callingCode, beginning }: Country): string | undefined {
  return parse(`+${callingCode}${beginning}5181234`)?.country;
}

/** Whether a number of the calling code belongs to the country: several share +1, and two +599. */
function isOf(reading: PhoneNumber | undefined, country: Country): boolean {
  return country.beginning === '' || reading?.country === nameOf(country);
}

/**
 * What the number itself says of its line; undefined if it does not tell, as in North America, where numbers of mobile phones
 * look like all others.
 *
 * @param e164 - a number that {@link phone} has read
 */
export function lineOf(e164: string): 'mobile' | 'landline' | 'voip' | 'other' | undefined {
  const type = parse(e164)?.getType();
  switch (type) {
    case undefined:
    case 'FIXED_LINE_OR_MOBILE':
      return undefined;
    case 'MOBILE':
      return 'mobile';
    case 'FIXED_LINE':
      return 'landline';
    case 'VOIP':
      return 'voip';
    default:
      return 'other';
  }
}

/** A country's international prefix: dialled before the code of another country. */
function dialledAbroad(callingCode: string): RegExp {
  const { Metadata, metadata } = phoneLibrary();
  const plan = new Metadata(metadata);
  // The types know of countries only.
  plan.selectNumberingPlan(callingCode as PhoneLibrary.CountryCode);
  return new RegExp(`^(?:${plan.numberingPlan?.IDDPrefix() ?? '00'})`);
}

/** Each number once. */
function different(readings: readonly (PhoneNumber | undefined)[]): PhoneNumber[] {
  return [...new Map(readings.flatMap((reading) => (reading ? [[reading.number, reading]] : []))).values()];
}

function refused(
  number: string,
  country: string | undefined,
  rule: PhoneRule,
  readings: readonly (PhoneNumber | undefined)[],
): AuthyError {
  if (readings.some(isOfOldMexico)) {
    return invalidInput(
      'phoneNumber',
      'has a 1 (or 044, 045) before its ten digits. Leave that out: Mexico did away with it in 2019.',
    );
  }
  const where = number.startsWith('+') ? '' : ` in the country with code ${country ?? ''}`;
  return invalidInput(
    'phoneNumber',
    `is not a ${rule} phone number${where}. Begin it with + and its country code.`,
  );
}

/** Mobile numbers had a 1 behind +52 until 2019, and 044 or 045 in front at home. */
function isOfOldMexico(reading: PhoneNumber | undefined): boolean {
  return reading?.countryCallingCode === '52' && /^(?:1|04[45])[0-9]{10}$/.test(reading.nationalNumber);
}

function parse(text: string, defaultCallingCode?: string): PhoneNumber | undefined {
  const options = defaultCallingCode === undefined ? {} : { defaultCallingCode };
  return phoneLibrary().parsePhoneNumberFromString(text, { ...options, extract: false });
}

/** Loaded with the first phone number: its data on all countries takes a while to read, and many flows need none. */
function phoneLibrary() {
  /* eslint-disable @typescript-eslint/no-require-imports -- `import()` would make every parser wait. */
  const { parsePhoneNumberFromString } = require('libphonenumber-js/max') as typeof PhoneLibrary;
  // That of `max` is missing if it is required instead of imported.
  const { Metadata } = require('libphonenumber-js/core') as typeof CoreLibrary;
  const metadata = require('libphonenumber-js/metadata.max.json') as CoreLibrary.MetadataJson;
  return { parsePhoneNumberFromString, Metadata, metadata };
}
