import { randomBytes } from 'node:crypto';
import { simulatorKeyStart } from '../../lib/contract/simulator-key';
import { isSid, randomSid, type SidPrefix } from './sids';

/** What clients of Twilio Verify have to send; each is made anew if it is absent or empty. */
export interface VerifyCredentials {
  /** `AC` and 32 hexadecimal digits. */
  readonly accountSid: string;
  /** The account's password; webhooks are signed with it. */
  readonly authToken: string;
  /** `SK` and 32 hexadecimal digits. */
  readonly apiKeySid: string;
  readonly apiKeySecret: string;
  /** `VA` and 32 hexadecimal digits. */
  readonly serviceSid: string;
}

export interface VerifyOptions extends Partial<VerifyCredentials> {
  /** Digits of a code, 4 to 10; 6 if it is absent. */
  readonly codeLength?: number;
  /** Whether clients may give codes of their own; not if it is absent. */
  readonly customCodes?: boolean;
}

export type VerifySettings = VerifyCredentials & Required<VerifyOptions> & { readonly createdAt: number };

/** The SIDs among the options. */
const prefixes = { accountSid: 'AC', apiKeySid: 'SK', serviceSid: 'VA' } as const satisfies Partial<
  Record<keyof VerifyCredentials, SidPrefix>
>;

/**
 * What is wrong with options, as a remedy in a sentence; undefined if nothing is.
 *
 * @param nameOf - how the person who gave them calls an option
 */
export function verifyOptionProblem(
  options: VerifyOptions,
  nameOf: (option: keyof VerifyCredentials) => string = (option) => option,
): string | undefined {
  for (const option of ['accountSid', 'apiKeySid', 'serviceSid'] as const) {
    const value = options[option];
    const prefix = prefixes[option];
    if (value && !isSid(prefix, value)) {
      return `Give ${nameOf(option)} as ${prefix} and 32 hexadecimal digits in lower case; it was "${value}".`;
    }
  }
  for (const option of ['authToken', 'apiKeySecret'] as const) {
    const value = options[option];
    if (value && !/^[\x21-\x7e]+$/.test(value)) {
      return `Give ${nameOf(option)} as a text of ASCII characters without spaces.`;
    }
  }
  const { codeLength = 6 } = options;
  const isLength = Number.isInteger(codeLength) && codeLength >= 4 && codeLength <= 10;
  return isLength ? undefined : `Give codeLength as a whole number from 4 to 10; it was ${codeLength}.`;
}

/**
 * The settings with these options.
 *
 * @param before - what applies where an option is absent or empty
 * @throws Error - an option is wrong
 */
export function verifySettings(options: VerifyOptions, before: VerifySettings): VerifySettings {
  const problem = verifyOptionProblem(options);
  if (problem !== undefined) throw new Error(problem);
  const given = Object.entries(options).filter(([, value]) => value !== undefined && value !== '');
  return { ...before, ...(Object.fromEntries(given) as VerifyOptions) };
}

/** Settings of a service that nobody has used before. */
export function freshVerifySettings(createdAt: number): VerifySettings {
  return {
    accountSid: randomSid('AC'),
    authToken: randomSecret(),
    apiKeySid: randomSid('SK'),
    apiKeySecret: randomSecret(),
    serviceSid: randomSid('VA'),
    codeLength: 6,
    customCodes: false,
    createdAt,
  };
}

function randomSecret(): string {
  return `${simulatorKeyStart}${randomBytes(16).toString('hex')}`;
}
