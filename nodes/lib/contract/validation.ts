import { invalidInput } from './errors';
import { isObject } from './json';

/**
 * Turns input from outside into a value that may be sent, or throws `AUTHY_INVALID_INPUT`. Input is refused,
 * never repaired: an id or token becomes part of a URL, and text that Authy's server reads as another path has
 * been used to turn a verification into an SMS request (https://sakurity.com/blog/2015/03/15/authy_bypass.html).
 *
 * @param value - anything but blank: the caller has dealt with absent input
 * @param field - the input's name, for the error
 */
export type Parser<T> = (value: unknown, field: string) => T;

/** Names the kind of a value without showing it: a wrong value may be a secret in the wrong place. */
export function kind(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'number':
      return 'a number';
    case 'boolean':
      return 'true or false';
    case 'object':
      return 'an object';
    default:
      return `a ${typeof value}`;
  }
}

/** The formats of texts. The panels check fixed values by the same ones. */
export const formats = {
  /** A person's Authy ID. */
  authyId: /^[1-9][0-9]{0,19}$/,
  uuid: /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i,
  countryCode: /^\+?[1-9][0-9]{0,3}$/,
  phoneNumber: /^(?:\+|\()?[0-9][0-9 ().-]{1,23}[0-9]$/,
  /** The secret of an authenticator as people and apps write it: base32 without spaces and padding. */
  totpSecret: /^[A-Z2-7]{16,128}$/,
  email: /^(?=.{3,254}$)[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)*$/,
} as const;

/** Text that matches a pattern; numbers are refused because they have already lost their leading zeros. */
export function digits(pattern: RegExp, expected: string): Parser<string> {
  return (value, field) => {
    if (typeof value === 'number') {
      throw invalidInput(
        field,
        `expected ${expected} as a string, got a number. Send it as a string: a number has lost its leading zeros.`,
      );
    }
    if (typeof value !== 'string') throw invalidInput(field, `expected ${expected}, got ${kind(value)}.`);
    if (!pattern.test(value)) {
      throw invalidInput(
        field,
        `expected ${expected} and nothing else, got ${value.length} characters in the wrong format.`,
      );
    }
    return value;
  };
}

/** A one-time token: 4 to 12 ASCII digits, as text. A service may want more of them. */
export const token = digits(/^[0-9]{4,12}$/, 'a token of 4 to 12 digits');

/** The code of a phone verification: 4 to 10 ASCII digits, as text. */
export const verificationCode = digits(/^[0-9]{4,10}$/, 'a code of 4 to 10 digits');

/** An Authy ID: 1 to 20 digits without a leading zero, as text, or a positive safe integer. */
export const authyId: Parser<string> = (value, field) => {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return String(value);
  if (typeof value === 'string' && formats.authyId.test(value)) return value;
  throw invalidInput(
    field,
    `expected an Authy ID, a positive whole number such as 1234567, got ${kind(value)}. It is what "create user" returned.`,
  );
};

/** The id of an approval request or phone verification: 8-4-4-4-12 hexadecimal digits, in lower case from here on. */
export const uuid: Parser<string> = (value, field) => {
  if (typeof value === 'string' && formats.uuid.test(value)) return value.toLowerCase();
  throw invalidInput(
    field,
    `expected an id such as 4a725520-bff5-0135-eb01-0e5d90336a8c, got ${kind(value)}.`,
  );
};

/** A country's calling code: 1 to 4 digits with or without a leading plus; the plus is dropped. */
export const countryCode: Parser<string> = (value, field) => {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text === 'string' && formats.countryCode.test(text)) return text.replace('+', '');
  throw invalidInput(
    field,
    `expected a calling code of 1 to 4 digits such as 1, 44 or +57, got ${kind(value)}.`,
  );
};

/** A phone number as people write it: only its characters are checked here. */
export const phoneNumber: Parser<string> = (value, field) => {
  if (typeof value === 'number') {
    throw invalidInput(
      field,
      'expected a phone number as a string, got a number. Send it as a string, best with + and the country code.',
    );
  }
  if (typeof value === 'string' && formats.phoneNumber.test(value)) return value;
  throw invalidInput(
    field,
    `expected a phone number such as +13175550123 or 317-555-0123, got ${kind(value)} in the wrong format.`,
  );
};

/** An e-mail address: something, an at sign, a host. Only a mail can tell whether it exists. */
export const email: Parser<string> = (value, field) => {
  if (typeof value === 'string' && formats.email.test(value)) return value;
  throw invalidInput(
    field,
    `expected an e-mail address such as user@example.com, got ${kind(value)} in the wrong format.`,
  );
};

/** The secret of an authenticator, in base32. */
export const totpSecret: Parser<string> = (value, field) => {
  if (typeof value === 'string' && formats.totpSecret.test(value)) return value;
  throw invalidInput(
    field,
    'expected base32: 16 to 128 of the capital letters A to Z and the digits 2 to 7.',
  );
};

/** A switch: true or false, or their spelling as text. */
export const flag: Parser<boolean> = (value, field) => {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw invalidInput(field, `expected true or false, got ${kind(value)}.`);
};

/** Text of a bounded length, in characters. */
export function text(longest: number): Parser<string> {
  return (value, field) => {
    if (typeof value !== 'string') throw invalidInput(field, `expected text, got ${kind(value)}.`);
    if (value.trim() === '') throw invalidInput(field, 'expected text, got spaces only.');
    if (value.length > longest) {
      throw invalidInput(field, `is ${value.length} characters long; at most ${longest} are allowed.`);
    }
    return value;
  };
}

/** One of a few words. */
export function oneOf<const W extends string>(words: readonly W[]): Parser<W> {
  return (value, field) => {
    const word = words.find((candidate) => candidate === value);
    if (word === undefined) throw invalidInput(field, `expected one of ${words.join(', ')}.`);
    return word;
  };
}

/** A whole number in a range, or its spelling as text. */
export function integer(lowest: number, highest: number): Parser<number> {
  return (value, field) => {
    const number = typeof value === 'string' && /^[0-9]{1,15}$/.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isInteger(number) && number >= lowest && number <= highest)
      return number;
    throw invalidInput(field, `expected a whole number from ${lowest} to ${highest}.`);
  };
}

/** The text of a custom verification message, with a place for the code. */
export const codeTemplate: Parser<string> = (value, field) => {
  const template = text(1000)(value, field);
  if (!template.includes('{{code}}')) {
    throw invalidInput(field, 'must contain {{code}}, the place where the code goes.');
  }
  return template;
};

/** Pairs of label and text, as OneTouch shows them. Numbers and booleans are written out; nothing is cut. */
export function pairs(limits: { label: number; value: number }): Parser<Record<string, string>> {
  return (value, field) => {
    if (!isObject(value)) {
      throw invalidInput(
        field,
        `expected an object of labels and texts such as {"Account": "12-34"}, got ${kind(value)}.`,
      );
    }
    const entries = Object.entries(value).map(([label, content]): [string, string] => {
      if (label.trim() === '' || label.length > limits.label) {
        throw invalidInput(field, `each label must have 1 to ${limits.label} characters.`);
      }
      if (typeof content !== 'string' && typeof content !== 'boolean' && !Number.isFinite(content)) {
        throw invalidInput(field, `the value of "${label}" must be text or a number, got ${kind(content)}.`);
      }
      const written = String(content);
      if (written.length > limits.value) {
        throw invalidInput(field, `the value of "${label}" is longer than ${limits.value} characters.`);
      }
      return [label, written];
    });
    return Object.fromEntries(entries);
  };
}

/** The resolutions that a logo can have. */
const logoResolutions = ['default', 'low', 'med', 'high'] as const;

export interface Logo {
  res: (typeof logoResolutions)[number];
  url: string;
}

/** The logos of an approval request: one per resolution, `default` among them. */
export const logos: Parser<Logo[]> = (value, field) => {
  if (!Array.isArray(value)) {
    throw invalidInput(
      field,
      `expected a list such as [{"res": "default", "url": "https://…"}], got ${kind(value)}.`,
    );
  }
  const list = value.map((item: unknown): Logo => {
    if (!isObject(item)) throw invalidInput(field, 'each logo must be an object with res and url.');
    const res = oneOf(logoResolutions)(item['res'], `${field}.res`);
    const url = text(500)(item['url'], `${field}.url`);
    if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
      throw invalidInput(`${field}.url`, 'expected the address of an image, beginning with https://.');
    }
    return { res, url };
  });
  const resolutions = new Set(list.map(({ res }) => res));
  if (resolutions.size < list.length) throw invalidInput(field, 'has two logos of the same resolution.');
  if (list.length > 0 && !resolutions.has('default')) {
    throw invalidInput(field, 'needs one with the resolution "default".');
  }
  return list;
};

/** An object of plain data, at most 10,000 characters as JSON. */
export const dataObject: Parser<Record<string, unknown>> = (value, field) => {
  if (!isObject(value)) throw invalidInput(field, `expected an object, got ${kind(value)}.`);
  let json: string;
  try {
    json = JSON.stringify(value);
  } catch {
    throw invalidInput(field, 'cannot be written as JSON: it refers to itself.');
  }
  if (json.length > 10_000) throw invalidInput(field, 'is longer than 10000 characters as JSON.');
  return JSON.parse(json) as Record<string, unknown>;
};
