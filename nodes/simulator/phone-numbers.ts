import {
  getCountries,
  getCountryCallingCode,
  type PhoneNumber as ParsedNumber,
  parsePhoneNumberFromString,
  validatePhoneNumberLength,
} from 'libphonenumber-js/max';

/** A phone number that is possible in its country. */
export interface PhoneNumber {
  /** The calling code, digits only. */
  readonly countryCode: string;
  /** Such as `US`; undefined if the calling code belongs to no country, or the number to none of several. */
  readonly country: string | undefined;
  /** The national number, digits only. */
  readonly national: string;
  /** Such as `+13175550142`. */
  readonly e164: string;
  /** As Authy writes it: `+1 317-555-0142`. */
  readonly written: string;
}

/** What the simulator says about a number: the kind of its line, and how Authy's endpoints take it. */
export interface Line {
  readonly type: 'cellphone' | 'landline' | 'voip' | 'unknown';
  readonly carrier: string | null;
  readonly ported: boolean;
  /** Why no verification can be started: one of the simulator's errors. */
  readonly refusal?: 'landline' | 'notProvisioned';
  /** Why nothing can be found out: one of the simulator's errors. */
  readonly lookupFailure?: 'phoneInfoMissing' | 'phoneInfoFailed';
  /** The meaning of a number's ending, for the control interface's index. */
  readonly meaning: string;
}

const countries = getCountries();

const callingCodes: ReadonlySet<string> = new Set(countries.map((country) => getCountryCallingCode(country)));

const cellphone: Line = {
  type: 'cellphone',
  carrier: 'Simulated Mobile',
  ported: false,
  meaning: 'a cellphone',
};

/** The special numbers, by their last four digits. */
export const lines: Readonly<Record<string, Line>> = {
  '0000': {
    type: 'landline',
    carrier: 'Simulated Landlines',
    ported: false,
    refusal: 'landline',
    meaning: 'a landline: a verification by SMS is refused with 60082, by call it works',
  },
  '0001': { type: 'voip', carrier: 'Simulated VoIP', ported: false, meaning: 'a VoIP number' },
  '0002': {
    type: 'unknown',
    carrier: null,
    ported: false,
    meaning: 'an unknown kind of line, without a carrier',
  },
  '0003': {
    type: 'unknown',
    carrier: null,
    ported: false,
    refusal: 'notProvisioned',
    meaning: 'not provisioned, such as toll-free: a verification is refused with 60083',
  },
  '0004': { ...cellphone, lookupFailure: 'phoneInfoMissing', meaning: 'nothing is known of it: 60024' },
  '0005': { ...cellphone, lookupFailure: 'phoneInfoFailed', meaning: 'looking it up fails: 500, 60025' },
  '0009': { ...cellphone, ported: true, meaning: 'a cellphone ported from another carrier' },
};

/** What the simulator says about a number. */
export function lineOf(phone: PhoneNumber): Line {
  return lines[phone.national.slice(-4)] ?? cellphone;
}

/**
 * Reads a number and its country as clients send them: digits with separators, the country by its calling code.
 *
 * @returns which of the two is not valid, if one is not
 */
export function readPhone(countryCode: string, number: string): PhoneNumber | 'country' | 'number' {
  const country = countryCode.replace(/^\+/, '');
  if (!/^[1-9]\d{0,3}$/.test(country)) return 'country';
  if (!/^[+(]?\d[\d .()-]{1,30}$/.test(number)) return 'number';
  // A calling code without a country, such as that of satellite phones, is recognized only in a whole number.
  const isCountry = callingCodes.has(country);
  const parsed = isCountry
    ? parsePhoneNumberFromString(number, { defaultCallingCode: country, extract: false })
    : parsePhoneNumberFromString(`+${country}${number.replace(/\D/g, '')}`);
  if (parsed === undefined && !isCountry) return 'country';
  if (!parsed?.isPossible() || parsed.countryCallingCode !== country) return 'number';
  return phoneNumber(parsed);
}

/**
 * Reads a number as E.164 has it, such as `+13175550142`.
 *
 * @returns undefined if it is none, or not possible in its country
 */
export function readE164(number: string): PhoneNumber | undefined {
  const parsed = /^\+\d{1,15}$/.test(number) ? parsePhoneNumberFromString(number) : undefined;
  return parsed?.isPossible() === true ? phoneNumber(parsed) : undefined;
}

/** A number as Google's rules see it. */
export interface LookedUp {
  /** Undefined if it is no number at all. */
  readonly phone: PhoneNumber | undefined;
  /** As people of its country write it. */
  readonly nationalFormat: string | undefined;
  /** Why it can be nobody's. */
  readonly problem:
    | 'TOO_SHORT'
    | 'TOO_LONG'
    | 'INVALID_BUT_POSSIBLE'
    | 'INVALID_COUNTRY_CODE'
    | 'INVALID_LENGTH'
    | 'NOT_A_NUMBER'
    | undefined;
}

/**
 * Looks a number up, more strictly than {@link readE164}: one that is possible may be nobody's.
 *
 * @param country - such as `US`, for a number as people write it there
 */
export function lookUpNumber(number: string, country: string | undefined): LookedUp {
  const home = countries.find((known) => known === country);
  if (country !== undefined && home === undefined) return nothingOf('INVALID_COUNTRY_CODE');
  const impossible = validatePhoneNumberLength(number, home);
  if (impossible !== undefined) {
    return nothingOf(impossible === 'INVALID_COUNTRY' ? 'INVALID_COUNTRY_CODE' : impossible);
  }
  const parsed = parsePhoneNumberFromString(number, home);
  if (parsed === undefined) return nothingOf('NOT_A_NUMBER');
  return {
    phone: phoneNumber(parsed),
    nationalFormat: parsed.formatNational(),
    problem: parsed.isValid() ? undefined : 'INVALID_BUT_POSSIBLE',
  };
}

function nothingOf(problem: LookedUp['problem']): LookedUp {
  return { phone: undefined, nationalFormat: undefined, problem };
}

function phoneNumber({ countryCallingCode, country, nationalNumber, number }: ParsedNumber): PhoneNumber {
  return {
    countryCode: countryCallingCode,
    country,
    national: nationalNumber,
    e164: number,
    written: `+${countryCallingCode} ${inGroups(nationalNumber)}`,
  };
}

/** The last four digits, the three before them, and the others, for every country. */
function inGroups(national: string): string {
  const groups = [national.slice(0, -7), national.slice(-7, -4), national.slice(-4)];
  return groups.filter((group) => group !== '').join('-');
}
