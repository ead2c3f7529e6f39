import crypto from 'node:crypto';

/**
 * Watches the comparisons in constant time, for the tests of a suite.
 *
 * @returns the lengths of what was compared since the test began, emptied before each test
 */
export function watchComparisons(): [number, number][] {
  const { timingSafeEqual } = crypto;
  const compared: [number, number][] = [];
  before(() => {
    crypto.timingSafeEqual = (a, b) => {
      compared.push([a.byteLength, b.byteLength]);
      return timingSafeEqual(a, b);
    };
  });
  after(() => {
    crypto.timingSafeEqual = timingSafeEqual;
  });
  beforeEach(() => void compared.splice(0));
  return compared;
}
