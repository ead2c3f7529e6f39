import { durationOf, hasText, text } from './texts.js';

/** Something that did not work, and that the user is told the remedy of. */
export class Problem extends Error {
  /**
   * @param code - the name of its text below `problem`
   * @param retryAfter - in seconds, if it is known when to try again
   */
  constructor(code, retryAfter) {
    super(code);
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** What the user is told; of an error that nobody expected, just that. */
export function sentenceOf({ code, retryAfter }) {
  if (code === 'tooMany' && retryAfter > 0) {
    return text('problem.tooManyUntil', { time: durationOf(retryAfter * 1000) });
  }
  return text(`problem.${hasText(`problem.${code}`) ? code : 'failed'}`);
}
