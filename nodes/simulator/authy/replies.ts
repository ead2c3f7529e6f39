import type { ErrorForm } from '../faults';
import type { Reply } from '../reply';

/**
 * Every error of Authy's that the simulator answers: HTTP status, number, and its default text.
 *
 * Source: https://www.twilio.com/docs/authy/api (return and error codes), the Verify v1 error table, and the list in
 * twilio/authy-java (`com.authy.api.Error.Code`). Texts are those that the real Authy was seen to
 * answer, if one is known. The statuses of 60014, 60024, 60029, 60038 and 60080 are not documented; 400 is the
 * simulator's choice, and so is 404 for 60035 and 60113.
 */
const failures = {
  unknownUrl: [404, '60000', 'Requested URL was not found. This is the Authy simulator.'],
  invalidKey: [401, '60001', 'Invalid API key'],
  invalidRequest: [400, '60002', 'Invalid request.'],
  tooManyRequests: [429, '60003', 'Too many requests.'],
  invalidParameter: [400, '60004', 'Invalid parameter'],
  // A token has its own text.
  noSuchUser: [401, '60016', "User doesn't exist"],
  tokenReused: [401, '60019', 'Token is invalid. Token was used recently'],
  tokenInvalid: [401, '60020', 'Token is invalid'],
  codeIncorrect: [401, '60022', 'Verification code is incorrect'],
  nothingPending: [404, '60023', 'No pending verifications found.'],
  phoneInfoMissing: [400, '60024', 'Phone information is not available.'],
  phoneInfoFailed: [500, '60025', 'Server error while querying phone information. Please try again later'],
  userNotFound: [404, '60026', 'User not found.'],
  userNotValid: [400, '60027', 'User was not valid'],
  activityNotCreated: [400, '60029', 'Activity could not be created.'],
  phoneInvalid: [400, '60033', 'Phone number is invalid'],
  registrationNotFound: [404, '60035', 'Registration request was not found.'],
  emailInvalid: [400, '60038', 'Email is invalid.'],
  verificationParameters: [400, '60042', 'Phone Verification parameters are invalid.'],
  approvalNotFound: [404, '60049', 'Approval request not found'],
  countryInvalid: [403, '60078', 'Country code is invalid'],
  approvalInvalid: [400, '60080', 'Approval request is invalid.'],
  landline: [403, '60082', 'Cannot send SMS to a landline phone number.'],
  notProvisioned: [403, '60083', 'Phone number is not provisioned with any carrier.'],
  authenticatorNotFound: [404, '60113', 'Authenticator was not found.'],
} as const satisfies Readonly<Record<string, readonly [status: number, code: string, message: string]>>;

export type FailureName = keyof typeof failures;

/** Thrown by the handler of a request: the answer is an Authy error. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly reply: Reply;

  /**
   * @param more.message - instead of the general one
   * @param more.fields - what is wrong, by field: among the errors and at top level
   * @param more.top - further members at top level
   */
  constructor(
    failure: FailureName,
    more: {
      message?: string;
      fields?: Readonly<Record<string, string>>;
      top?: Readonly<Record<string, unknown>>;
    } = {},
  ) {
    const [status, code, general] = failures[failure];
    const message = more.message ?? general;
    super(message);
    this.reply = failureReply(status, code, message, more.fields, more.top);
  }
}

/** An error body as Authy writes it. */
export function failureReply(
  status: number,
  code: string | undefined,
  message: string,
  fields: Readonly<Record<string, string>> = {},
  top: Readonly<Record<string, unknown>> = {},
): Reply {
  // For this number only, the documented body has no text among its errors.
  const errors = code === failures.approvalNotFound[1] ? {} : { message, ...fields };
  const number = code === undefined ? {} : { error_code: code };
  return { status, body: { message, ...fields, ...top, success: false, errors, ...number } };
}

/** A success as Authy writes it. */
export function success(body: Readonly<Record<string, unknown>>): Reply {
  return { status: 200, body: { success: true, ...body } };
}

/** How Authy writes the errors of faults. Of the statuses only one has a number of its own. */
export const authyErrors: ErrorForm = {
  write: failureReply,
  codeOf: (status) => (status === failures.tooManyRequests[0] ? failures.tooManyRequests[1] : undefined),
  invalidRequest: failures.invalidRequest[1],
};
