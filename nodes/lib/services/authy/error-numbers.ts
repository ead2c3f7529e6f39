import { AuthyError, type AuthyErrorCode, type AuthyErrorFacts } from '../../contract/errors';

type Meaning = readonly [code: AuthyErrorCode, advice: string];

/**
 * Every error number Authy is known to answer with: what a flow can branch on, and a sentence on what it means.
 *
 * Source: https://www.twilio.com/docs/authy/api (return and error codes), the Verify v1 error table, and the
 * list in twilio/authy-java (`com.authy.api.Error.Code`).
 */
const meanings: Readonly<Record<string, Meaning>> = {
  60000: [
    'AUTHY_INVALID_REQUEST',
    'Check the base URL and path prefix of the account: Authy does not know this request or address.',
  ],
  60001: [
    'AUTHY_INVALID_API_KEY',
    "Copy the production key from the Authy application's settings into the account: the API key is wrong.",
  ],
  60002: ['AUTHY_INVALID_REQUEST', 'Authy could not read the request.'],
  60003: ['AUTHY_RATE_LIMITED', 'Wait before the next request: there were too many.'],
  60004: [
    'AUTHY_INVALID_REQUEST',
    "Look at Authy's message: it names a parameter that is missing or has the wrong form.",
  ],
  60005: ['AUTHY_INVALID_REQUEST', 'Send UTF-8: the text has an invalid encoding.'],
  60006: ['AUTHY_NOT_ALLOWED', 'Codes by phone call are switched off for this application.'],
  60007: ['AUTHY_NOT_ALLOWED', 'Codes by SMS are switched off for this application.'],
  60008: ['AUTHY_ACCOUNT_SUSPENDED', 'Look at the account in the Twilio console: it is suspended.'],
  60009: ['AUTHY_LIMIT_REACHED', "The application's monthly SMS limit is reached."],
  60010: ['AUTHY_LIMIT_REACHED', "The application's daily SMS limit is reached."],
  60011: ['AUTHY_LIMIT_REACHED', "The application's monthly call limit is reached."],
  60012: ['AUTHY_LIMIT_REACHED', "The application's daily call limit is reached."],
  60013: ['AUTHY_NOT_ALLOWED', 'Authy does not serve this country for this application.'],
  60014: ['AUTHY_NOT_SENT', 'The call could not be started.'],
  60015: ['AUTHY_NOT_SENT', 'The SMS could not be sent.'],
  60016: [
    'AUTHY_USER_NOT_FOUND',
    'Create the user first, with the same account: there is none with this ID in this application.',
  ],
  60017: ['AUTHY_USER_UNAVAILABLE', 'The user is suspended.'],
  60018: ['AUTHY_USER_UNAVAILABLE', 'The user is disabled.'],
  60019: ['AUTHY_REJECTED', 'The token was used before.'],
  60020: ['AUTHY_REJECTED', 'The token is wrong.'],
  60021: ['AUTHY_NOT_ALLOWED', 'A verification cannot be started for this phone number or application.'],
  60022: ['AUTHY_REJECTED', 'The verification code is wrong.'],
  60023: ['AUTHY_NOT_FOUND', 'Start a verification first: none is pending for this phone number.'],
  60024: ['AUTHY_UNAVAILABLE', 'Nothing could be found out about this phone number.'],
  60025: ['AUTHY_UNAVAILABLE', 'The look-up of the phone number failed.'],
  60026: [
    'AUTHY_USER_NOT_FOUND',
    'Create the user first, with the same account: there is none with this ID in this application.',
  ],
  60027: [
    'AUTHY_INVALID_REQUEST',
    "Look at the fields that Authy's answer names: the user's data is not valid.",
  ],
  60028: ['AUTHY_REJECTED', 'The user could not be removed.'],
  60029: ['AUTHY_REJECTED', 'The activity could not be recorded.'],
  60030: ['AUTHY_INVALID_REQUEST', "The user's data is incomplete or wrong."],
  60031: ['AUTHY_NOT_ALLOWED', 'This action is not allowed for the application.'],
  60032: ['AUTHY_NOT_FOUND', 'There is no such SMS.'],
  60033: ['AUTHY_INVALID_REQUEST', 'The phone number is not valid for its country.'],
  60034: ['AUTHY_INVALID_REQUEST', 'The registration request is not valid.'],
  60035: ['AUTHY_NOT_FOUND', 'There is no such registration request.'],
  60036: ['AUTHY_REJECTED', 'The registration PIN is wrong.'],
  60037: ['AUTHY_REJECTED', 'The registration has expired.'],
  60038: ['AUTHY_INVALID_REQUEST', 'The e-mail address is not valid.'],
  60042: [
    'AUTHY_INVALID_REQUEST',
    "Give the verification's uuid, or phone number and country code: its parameters are not valid.",
  ],
  60046: ['AUTHY_INVALID_REQUEST', 'Authy refused the request without a documented reason.'],
  60047: ['AUTHY_INVALID_API_KEY', "Use the Authy application's own key: this is one of Twilio's main API."],
  60049: ['AUTHY_NOT_FOUND', 'There is no such approval request in this application.'],
  60050: [
    'AUTHY_USER_UNAVAILABLE',
    'Send a code instead: the user has not registered the Authy app, so no approval can be asked.',
  ],
  60051: ['AUTHY_USER_UNAVAILABLE', 'Send a code instead: the user has no device that can approve.'],
  60052: ['AUTHY_NOT_SENT', "Authy's push service could not be reached."],
  60053: ['AUTHY_NOT_SENT', 'The approval request could not be sent.'],
  60054: ['AUTHY_NOT_SENT', 'The approval request failed at Authy.'],
  60055: ['AUTHY_REJECTED', 'Authy could not deliver the answer to the callback address.'],
  60056: ['AUTHY_INVALID_REQUEST', "Check the account's base URL: Authy answers by HTTPS only."],
  60057: ['AUTHY_ACCOUNT_SUSPENDED', 'The account is suspended for a while.'],
  60058: ['AUTHY_NOT_FOUND', 'The phone number was not found.'],
  60059: ['AUTHY_INVALID_REQUEST', 'The phone number is not valid.'],
  60060: ['AUTHY_ACCOUNT_SUSPENDED', 'Look at the Twilio account in the Twilio console: it is suspended.'],
  60061: ['AUTHY_ACCOUNT_SUSPENDED', 'Look at the Authy application in the Twilio console: it is suspended.'],
  60063: ['AUTHY_NOT_ALLOWED', "This machine's address is not among those allowed for the application."],
  60064: ['AUTHY_NOT_ALLOWED', 'OneTouch cannot be switched on for this application.'],
  60065: [
    'AUTHY_NOT_ALLOWED',
    'Switch push authentication on in the Authy application: OneTouch is switched off.',
  ],
  60066: ['AUTHY_NOT_ALLOWED', 'The OneTouch callback address cannot be saved.'],
  60068: ['AUTHY_REJECTED', 'The device cannot be updated while it is being registered.'],
  60069: ['AUTHY_INVALID_REQUEST', 'The access key is not valid.'],
  60070: ['AUTHY_INVALID_REQUEST', 'The application is not valid.'],
  60071: ['AUTHY_NOT_FOUND', 'There is no such access key.'],
  60072: ['AUTHY_NOT_FOUND', 'The access key is not valid.'],
  60073: ['AUTHY_INVALID_API_KEY', "The application's API key is not valid."],
  60074: ['AUTHY_NOT_ALLOWED', 'The access key has no permission for this.'],
  60075: ['AUTHY_NOT_ALLOWED', 'The application cannot be deleted.'],
  60078: ['AUTHY_INVALID_REQUEST', 'The country code is not valid.'],
  60079: ['AUTHY_REJECTED', 'The approval request is not pending any more.'],
  60080: ['AUTHY_INVALID_REQUEST', 'Check message, details and logos: the approval request is not valid.'],
  60082: ['AUTHY_NOT_ALLOWED', 'Call this number instead: it is a landline, which cannot receive SMS.'],
  60083: ['AUTHY_NOT_ALLOWED', 'This kind of phone number cannot be served.'],
  60086: ['AUTHY_REJECTED', 'The registration token has expired.'],
  60087: ['AUTHY_REJECTED', 'The signature is not valid.'],
  60089: ['AUTHY_INVALID_REQUEST', 'The reporting query is not valid.'],
  60090: ['AUTHY_REJECTED', 'The registration request could not be created.'],
  60091: ['AUTHY_NOT_ALLOWED', 'Custom messages have to be switched on by Twilio for this application.'],
  60092: ['AUTHY_NOT_FOUND', 'There is no such device.'],
  60093: ['AUTHY_REJECTED', 'The device could not be deleted.'],
  60094: ['AUTHY_INVALID_REQUEST', "The report's interval is not valid."],
  60095: ['AUTHY_INVALID_REQUEST', 'The report is not valid.'],
  60096: ['AUTHY_UNAVAILABLE', 'The report could not be made.'],
  60097: ['AUTHY_USER_UNAVAILABLE', "Try again later: the user's phone number is being changed."],
  60098: ['AUTHY_REJECTED', 'The webhook could not be created.'],
  60099: ['AUTHY_REJECTED', 'The webhooks could not be listed.'],
  60100: ['AUTHY_REJECTED', 'The webhook could not be deleted.'],
  60101: ['AUTHY_REJECTED', 'The token of the request is not valid.'],
  60102: ['AUTHY_REJECTED', 'The push certificate could not be created.'],
  60103: ['AUTHY_INVALID_REQUEST', 'The push platform is not known.'],
  60104: ['AUTHY_INVALID_REQUEST', 'The push certificates are not valid.'],
  60105: ['AUTHY_REJECTED', 'The notification token is not valid.'],
  60106: ['AUTHY_USER_UNAVAILABLE', 'The user is suspended from this application.'],
  60107: ['AUTHY_USER_UNAVAILABLE', 'The user is blocked.'],
  60108: ['AUTHY_INVALID_REQUEST', "The user's device does not support this channel."],
  60109: ['AUTHY_NOT_FOUND', 'The authentication method was not found.'],
  60110: ['AUTHY_REJECTED', 'The authentication method could not be created.'],
  60111: ['AUTHY_NOT_FOUND', 'The authentication was not found.'],
  60112: ['AUTHY_INVALID_REQUEST', 'The authentication method is not valid.'],
  60113: ['AUTHY_NOT_FOUND', 'The authenticator was not found.'],
  60114: ['AUTHY_REJECTED', 'The authenticator could not be updated.'],
  60115: ['AUTHY_USER_UNAVAILABLE', 'The phone number has opted out of messages.'],
  60116: ['AUTHY_INVALID_REQUEST', "The phone verification's token parameters are not valid."],
  60117: ['AUTHY_NOT_FOUND', 'The application was not found.'],
  60118: ['AUTHY_REJECTED', "The authenticator's code is wrong."],
  60119: ['AUTHY_REJECTED', 'The user must not carry personal data here.'],
  60120: ['AUTHY_LIMIT_REACHED', 'The SMS limit is reached.'],
  60121: ['AUTHY_INVALID_REQUEST', 'The SMS is not valid.'],
  60122: ['AUTHY_REJECTED', 'The QR code could not be made.'],
  60123: [
    'AUTHY_NOT_ALLOWED',
    'Switch generic tokens on in the Authy application: generic authenticator apps are switched off.',
  ],
  60124: ['AUTHY_NOT_FOUND', 'The account was not found.'],
  60125: ['AUTHY_NOT_ALLOWED', 'The application has no valid SDK set-up.'],
  60126: ['AUTHY_UNAVAILABLE', "The network's look-up of the phone number failed."],
  60127: ['AUTHY_USER_UNAVAILABLE', 'The user is about to be removed.'],
  60128: ['AUTHY_USER_NOT_FOUND', 'The user was removed.'],
  60129: ['AUTHY_NOT_FOUND', 'The public key was not found.'],
  60130: ['AUTHY_USER_UNAVAILABLE', 'The user is being removed; this can take a day.'],
  60131: ['AUTHY_REJECTED', 'The removal of the user failed.'],
  60132: ['AUTHY_USER_UNAVAILABLE', 'The removal of the account is not complete.'],
  60133: ['AUTHY_REJECTED', 'Authy refused the request with a message of its own.'],
  60154: [
    'AUTHY_NOT_ALLOWED',
    "Ask Twilio's support to switch on the export of phone numbers and TOTP secrets for this application: it is off at first.",
  ],
};

/** The meaning of an answer without a number, or with one that is in no list. */
const meaningsByStatus: Readonly<Record<number, Meaning>> = {
  400: ['AUTHY_INVALID_REQUEST', 'Authy refused the parameters.'],
  401: ['AUTHY_INVALID_API_KEY', 'Check the API key in the account: Authy did not accept it.'],
  403: ['AUTHY_NOT_ALLOWED', 'Authy does not allow this for the application or the phone number.'],
  404: ['AUTHY_NOT_FOUND', 'Check the ids and the base URL: Authy does not know what was asked for.'],
  429: ['AUTHY_RATE_LIMITED', 'Wait before the next request: there were too many.'],
};

const unknownMeaning: Meaning = ['AUTHY_REJECTED', 'Authy refused the request.'];

/**
 * What an error answer means.
 *
 * @param authyCode - the body's `error_code`; decides if it is known, since 401 is both a wrong key and a
 *   wrong token
 * @param statusCode - the HTTP status; decides otherwise
 */
export function meaningOf(
  authyCode: string | undefined,
  statusCode: number,
): { code: AuthyErrorCode; advice: string } {
  const [code, advice] =
    (isDocumented(authyCode) ? meanings[authyCode] : meaningsByStatus[statusCode]) ?? unknownMeaning;
  return { code, advice };
}

/** The text of an answer without a number: with its HTTP status, and today's number for it. */
export type Unnumbered = readonly [statusCode: number, text: RegExp, authyCode: string];

/**
 * Authy's texts for all operations from 2013 to 2016, before it wrote numbers. A 503 leaves open whether the request was
 * carried out; one of these says that it was not.
 *
 * Source: the tests of go-authy and fixtures of those years; for DoS protection and suspended accounts they have no whole
 * sentence.
 */
const unnumbered: readonly Unnumbered[] = [
  [401, /^User doesn't exist\.?$/, '60016'],
  [404, /^User not found\.?$/, '60026'],
  [503, /^User (?:is|was|has been) suspended\b/, '60017'],
  [503, /\b(?:account|application)\b.* (?:is|was|has been) suspended\b/i, '60008'],
  [503, /\bDoS protection\b/, '60003'],
  [503, /^SMS token was not sent\.?$/, '60015'],
  [503, /^SMS is not enabled\b/, '60007'],
  [503, /^Phone calls are not enabled\b/, '60006'],
];

/**
 * The error number that an answer without one means.
 *
 * @param text - the body's `message`
 * @param own - texts of the operation that was asked, beside those of all
 * @returns undefined if it cannot be told
 */
export function numberSaid(
  statusCode: number,
  text: string,
  own: readonly Unnumbered[] = [],
): string | undefined {
  // A sentence is short; a long text could be made to be searched for ever.
  if (text.length > 200) return undefined;
  return [...own, ...unnumbered].find(
    ([status, pattern]) => status === statusCode && pattern.test(text),
  )?.[2];
}

/** Whether Authy documents this error number: an answer that carries one is Authy's own, whatever its status. */
export function isDocumented(authyCode: string | undefined): authyCode is string {
  return authyCode !== undefined && Object.hasOwn(meanings, authyCode);
}

/**
 * The error for an answer in which Authy refuses the request.
 *
 * @param authyCode - the body's `error_code`, if it has one
 * @param message - the body's `message`, masked, if it has one
 * @param facts - the HTTP status, and what else is known about the answer
 * @param meant - the error number that an answer without one means
 */
export function refusal(
  authyCode: string | undefined,
  message: string | undefined,
  facts: { statusCode: number } & Pick<AuthyErrorFacts, 'retryAfter' | 'response'>,
  meant: string | undefined = authyCode,
): AuthyError {
  const { statusCode } = facts;
  const meaning = meaningOf(meant, statusCode);
  const said = message === undefined ? `HTTP ${statusCode}` : `"${message}"`;
  const number = authyCode === undefined ? '' : ` (${authyCode})`;
  return new AuthyError(meaning.code, `${meaning.advice} Authy said: ${said}${number}`, {
    ...facts,
    authyCode,
  });
}

/** Hides all but the last two digits of a possible phone number or token: messages end up in logs. */
export function maskNumbers(text: string): string {
  return text.replace(/\+?\d[\d ().-]{4,}\d/g, (number) => `…${number.slice(-2)}`);
}
