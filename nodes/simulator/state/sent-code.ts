/** How long a code is accepted, in milliseconds. Source: https://www.twilio.com/docs/verify/api/v1/verification */
export const codeLifetime = 600_000;

/** How many codes may be tried. */
export const codeTries = 5;

/** A code that was sent, to be given back in time. */
export interface SentCode {
  /** Lower case. */
  readonly uuid: string;
  readonly startedAt: number;
  wrongCodes: number;
}

/** Whether its time has passed. */
export function isOver({ startedAt }: SentCode, now: number): boolean {
  return now >= startedAt + codeLifetime;
}
