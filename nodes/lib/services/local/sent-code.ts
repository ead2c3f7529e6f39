import { AuthyError } from '../../contract/errors';
import { secondsText } from '../../contract/sentences';

/** How long a code that was sent is valid, in milliseconds. */
export const codeLifetime = 600_000;

/** How many wrong codes end it. */
export const mostTries = 5;

/** The error if too many codes were sent. @param milliseconds - until the next one may be */
export function tooManySent(milliseconds: number): AuthyError {
  const retryAfter = Math.ceil(milliseconds / 1000);
  return new AuthyError(
    'AUTHY_LIMIT_REACHED',
    `Wait ${secondsText(retryAfter)} before the next code to this phone or address: five were sent within ten minutes.`,
    { retryAfter },
  );
}
