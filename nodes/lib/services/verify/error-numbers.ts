import { AuthyError, type AuthyErrorCode, type AuthyErrorFacts } from '../../contract/errors';

type Meaning = readonly [code: AuthyErrorCode, advice: string];

const limitReached: Meaning = [
  'AUTHY_LIMIT_REACHED',
  'Wait ten minutes before the next code to this number.',
];
const blocked: Meaning = [
  'AUTHY_NOT_ALLOWED',
  'Allow this country or number in the Twilio console: Twilio blocks codes to it.',
];
const notInTrial: Meaning = [
  'AUTHY_NOT_ALLOWED',
  'Verify this number in the Twilio console, or upgrade the account: a trial account sends to verified numbers only.',
];
const wrongService: Meaning = [
  'AUTHY_BAD_CONFIG',
  'Open the Verify service in the Twilio console: its settings do not allow this channel or text.',
];
const tooManyFactors: Meaning = [
  'AUTHY_LIMIT_REACHED',
  'Delete the user, or wait a day: there are too many factors, or too many wrong codes for this one.',
];

/**
 * What a flow can branch on for each error number of Twilio, and what to do.
 *
 * Source: https://www.twilio.com/docs/api/errors
 */
const meanings: Readonly<Record<number, Meaning>> = {
  20003: [
    'AUTHY_INVALID_API_KEY',
    'Check the SID and the secret in the account: Twilio does not know them, or they have no right to do this.',
  ],
  20008: ['AUTHY_NOT_ALLOWED', 'Use live credentials: test credentials cannot do this.'],
  20404: [
    'AUTHY_NOT_FOUND',
    'Check the Service SID of the account: Twilio does not find what was asked for.',
  ],
  20429: ['AUTHY_RATE_LIMITED', 'Slow the flow down: Twilio has had too many requests.'],
  21608: notInTrial,
  60200: ['AUTHY_INVALID_REQUEST', 'Check the inputs: Twilio refuses one of them.'],
  60202: ['AUTHY_LIMIT_REACHED', 'Send a new code in ten minutes: there were too many tries.'],
  60203: limitReached,
  60205: ['AUTHY_NOT_SENT', 'Use a phone call: this number is a landline, which takes no SMS.'],
  60207: ['AUTHY_RATE_LIMITED', 'Slow the flow down: a limit of the Verify service is reached.'],
  60212: ['AUTHY_RATE_LIMITED', 'Slow the flow down: there are too many requests for this number at once.'],
  60217: wrongService,
  60220: blocked,
  60221: ['AUTHY_INVALID_REQUEST', 'Check the inputs: Twilio refuses one of them.'],
  60223: wrongService,
  60226: wrongService,
  60238: blocked,
  60310: tooManyFactors,
  60315: tooManyFactors,
  60318: [
    'AUTHY_INVALID_REQUEST',
    'Confirm the authenticator first: scan the QR code and verify one of its codes.',
  ],
  60326: tooManyFactors,
  60364: ['AUTHY_INVALID_REQUEST', 'Check the inputs: Twilio refuses one of them.'],
  60390: ['AUTHY_INVALID_REQUEST', 'Check the inputs: Twilio refuses one of them.'],
  60410: blocked,
  60605: blocked,
  68008: wrongService,
  575001: notInTrial,
};

const byStatus: Readonly<Record<number, Meaning>> = {
  401: meanings[20003] as Meaning,
  403: ['AUTHY_NOT_ALLOWED', 'Look at the account in the Twilio console: it is not allowed to do this.'],
  404: meanings[20404] as Meaning,
  429: meanings[20429] as Meaning,
};

const unknownMeaning: Meaning = ['AUTHY_REJECTED', 'Twilio refused the request.'];

/** Whether an error with this number, answered with HTTP 429, may be tried again after a pause. */
export function isRateLimit(number: number | undefined): boolean {
  return number === undefined || number === 20429;
}

/** Whether Twilio documents this number: then an answer with it says what happened, whatever its HTTP status. */
export function isDocumented(number: number | undefined): boolean {
  return number !== undefined && Object.hasOwn(meanings, number);
}

/**
 * The error for an answer in which Twilio refuses the request.
 *
 * @param number - the body's `code`
 * @param said - the body's `message`, without personal data and secrets
 */
export function refusal(
  number: number | undefined,
  said: string | undefined,
  facts: { readonly statusCode: number } & Pick<AuthyErrorFacts, 'retryAfter' | 'response'>,
): AuthyError {
  const { statusCode } = facts;
  const [code, advice] = (number !== undefined && meanings[number]) || byStatus[statusCode] || unknownMeaning;
  const text = said === undefined ? `HTTP ${statusCode}` : `"${said}"`;
  const numbered = number === undefined ? '' : ` (${number})`;
  return new AuthyError(code, `${advice} Twilio said: ${text}${numbered}`, {
    ...facts,
    authyCode: number === undefined ? undefined : String(number),
  });
}
