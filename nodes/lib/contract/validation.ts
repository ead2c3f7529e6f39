import { invalidInput } from './errors';
import { isObject } from './json';
import { isUrl } from './url';

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
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Date) return 'a date';
  if (value instanceof Uint8Array) return 'a buffer';
  switch (typeof value) {
    case 'string':
      return 'text';
    case 'number':
    case 'bigint':
      return 'a number';
    case 'boolean':
      return 'true or false';
    case 'object':
      return 'an object';
    default:
      return `a ${typeof value}`;
  }
}

/** What a value has to be, and what it is instead: to say that text is text would help nobody. */
function wrong(value: unknown, expected: string): string {
  return typeof value === 'string' ? `must be ${expected}` : `is ${kind(value)}. It must be ${expected}`;
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
  /** A language in a region, such as `de-DE`. */
  region: /^([a-z]{2})-[A-Z]{2}$/,
  email: /^(?=.{3,254}$)[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)*$/,
} as const;

/** Text that matches a pattern; numbers are refused because they have already lost their leading zeros. */
export function digits(pattern: RegExp, expected: string): Parser<string> {
  return (value, field) => {
    if (typeof value === 'number') {
      throw invalidInput(
        field,
        `is a number, and has lost the zeros that it began with. It must be ${expected}, as text.`,
      );
    }
    if (typeof value !== 'string') {
      throw invalidInput(field, wrong(value, `${expected}, as text.`));
    }
    if (!pattern.test(value)) {
      throw invalidInput(field, wrong(value, `${expected}, and nothing else.`));
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
    wrong(value, 'an Authy ID, the whole number such as 1234567 that “create user” returned.'),
  );
};

/** The id of an approval request or phone verification: 8-4-4-4-12 hexadecimal digits, in lower case from here on. */
export const uuid: Parser<string> = (value, field) => {
  if (typeof value === 'string' && formats.uuid.test(value)) return value.toLowerCase();
  throw invalidInput(field, wrong(value, 'an id such as 4a725520-bff5-0135-eb01-0e5d90336a8c.'));
};

/** A country's calling code: 1 to 4 digits with or without a leading plus; the plus is dropped. */
export const countryCode: Parser<string> = (value, field) => {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text === 'string' && formats.countryCode.test(text)) return text.replace('+', '');
  throw invalidInput(field, wrong(value, 'a calling code of 1 to 4 digits such as 1, 44 or +57.'));
};

/** A phone number as people write it: only its characters are checked here. */
export const phoneNumber: Parser<string> = (value, field) => {
  if (typeof value === 'number') {
    throw invalidInput(
      field,
      'is a number, and has lost the zeros that it began with. It must be a phone number as text, best with + and the ' +
        'country code.',
    );
  }
  if (typeof value === 'string' && formats.phoneNumber.test(value)) return value;
  throw invalidInput(field, wrong(value, 'a phone number such as +13175550123 or 317-555-0123.'));
};

/** An e-mail address: something, an at sign, a host. Only a mail can tell whether it exists. */
export const email: Parser<string> = (value, field) => {
  if (typeof value === 'string' && formats.email.test(value)) return value;
  throw invalidInput(field, wrong(value, 'an e-mail address such as user@example.com.'));
};

/** The secret of an authenticator, in base32. */
export const totpSecret: Parser<string> = (value, field) => {
  if (typeof value === 'string' && formats.totpSecret.test(value)) return value;
  throw invalidInput(
    field,
    wrong(value, 'base32: 16 to 128 of the capital letters A to Z and the digits 2 to 7.'),
  );
};

/** A switch: true or false, or their spelling as text. */
export const flag: Parser<boolean> = (value, field) => {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw invalidInput(field, wrong(value, 'true or false.'));
};

/** Characters as services count them, by Unicode: an emoji is one or a few, and JavaScript counts most of them twice. */
export function characters(text: string): number {
  return text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);
}

/** Text of a bounded length, in {@link characters}. */
export function text(longest: number): Parser<string> {
  return (value, field) => {
    if (typeof value !== 'string') throw invalidInput(field, wrong(value, 'text.'));
    if (value.trim() === '') throw invalidInput(field, 'is spaces only. It must be text.');
    if (characters(value) > longest) {
      throw invalidInput(field, `has ${characters(value)} characters, and may have at most ${longest}.`);
    }
    return value;
  };
}

/** One of a few words. */
export function oneOf<const W extends string>(words: readonly W[]): Parser<W> {
  return (value, field) => {
    const word = words.find((candidate) => candidate === value);
    if (word === undefined)
      throw invalidInput(
        field,
        `is ${typeof value === 'string' ? 'another word' : kind(value)}. It must be one of ${words.join(', ')}.`,
      );
    return word;
  };
}

/**
 * One of a few languages. A browser says `de-DE` or `en-US`: such a region has the texts of its language, unless it has some of
 * its own.
 */
export function language(tags: readonly string[]): Parser<string> {
  const known = (tag: unknown): string | undefined => tags.find((one) => one === tag);
  return (value, field) => {
    const [, language] = (typeof value === 'string' && formats.region.exec(value)) || [];
    const found = known(value) ?? known(language);
    if (found !== undefined) return found;
    const what = typeof value === 'string' ? 'no language that messages can have' : kind(value);
    throw invalidInput(field, `is ${what}. It must be a tag such as de, en-US or pt-BR.`);
  };
}

/** A whole number in a range, or its spelling as text. */
export function integer(lowest: number, highest: number): Parser<number> {
  return (value, field) => {
    const number = typeof value === 'string' && /^[0-9]{1,15}$/.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isInteger(number) && number >= lowest && number <= highest)
      return number;
    throw invalidInput(
      field,
      `is ${typeof value === 'number' ? 'another number' : kind(value)}. It must be a whole number from ${lowest} to ${highest}.`,
    );
  };
}

/** The text of a custom verification message, with a place for the code. */
export const codeTemplate: Parser<string> = (value, field) => {
  const template = text(1000)(value, field);
  if (!template.includes('{{code}}')) {
    throw invalidInput(field, 'has no {{code}}, the place where the code goes.');
  }
  return template;
};

/** Pairs of label and text, as OneTouch shows them. Numbers and booleans are written out; nothing is cut. */
export function pairs(limits: { label: number; value: number }): Parser<Record<string, string>> {
  return (value, field) => {
    if (!isObject(value)) {
      throw invalidInput(field, wrong(value, 'an object of names and texts such as {"Account": "12-34"}.'));
    }
    const entries = Object.entries(value).map(([label, content]): [string, string] => {
      if (label.trim() === '' || characters(label) > limits.label) {
        throw invalidInput(
          field,
          `has a blank name, or one that is too long. Each must have 1 to ${limits.label} characters.`,
        );
      }
      if (typeof content !== 'string' && typeof content !== 'boolean' && !Number.isFinite(content)) {
        throw invalidInput(
          field,
          `has ${kind(content)} as the value of “${label}”. It must be text or a number.`,
        );
      }
      const written = String(content);
      if (characters(written) > limits.value) {
        throw invalidInput(field, `has a value of more than ${limits.value} characters, that of “${label}”.`);
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
    throw invalidInput(field, wrong(value, 'a list such as [{"res": "default", "url": "https://…"}].'));
  }
  const list = value.map((item: unknown): Logo => {
    if (!isObject(item)) throw invalidInput(field, 'has a logo that is no object with res and url.');
    const { url } = item;
    const res = logoResolutions.find((one) => one === item['res']);
    if (res === undefined) {
      throw invalidInput(
        field,
        `has a logo of no known resolution. Each must have one of ${logoResolutions.join(', ')}.`,
      );
    }
    if (typeof url !== 'string' || url.length > 500 || !/^https?:\/\//i.test(url) || !isUrl(url)) {
      throw invalidInput(
        field,
        'has a logo without the address of an image. It must begin with https:// and have 500 characters at most.',
      );
    }
    return { res, url };
  });
  const resolutions = new Set(list.map(({ res }) => res));
  if (resolutions.size < list.length) throw invalidInput(field, 'has two logos of the same resolution.');
  if (list.length > 0 && !resolutions.has('default')) {
    throw invalidInput(field, 'has no logo of the resolution “default”. One must be.');
  }
  return list;
};

/** An object of plain data, at most 10,000 characters as JSON. */
export const dataObject: Parser<Record<string, unknown>> = (value, field) => {
  if (!isObject(value)) throw invalidInput(field, wrong(value, 'an object.'));
  let json: string;
  try {
    json = JSON.stringify(value);
  } catch {
    throw invalidInput(
      field,
      'cannot be written as JSON. It must be plain data that does not refer to itself.',
    );
  }
  if (json.length > 10_000) throw invalidInput(field, 'is longer than 10000 characters as JSON.');
  return JSON.parse(json) as Record<string, unknown>;
};
