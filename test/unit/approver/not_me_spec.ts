import should from 'should';
import { afterNotMe, pauseLeft, pauseName } from '../../../nodes/lib/approver/not-me';
import { Noted } from '../../../nodes/lib/people/noted';

const minute = 60_000;

describe('The pause after “not me”', () => {
  it('of another process has the length that it was stored with, whatever an earlier one of the same number was here', () => {
    const noted = new Noted();
    const first = { authyId: '1', notMe: afterNotMe(0, undefined) };
    noted.note(pauseName(first), 0);
    should(pauseLeft(first, { now: () => minute, steady: () => minute, noted })).equal(9 * minute);
    // A clock that was set forward does not end what was seen here.
    should(pauseLeft(first, { now: () => 90 * minute, steady: () => minute, noted })).equal(9 * minute);
    // The first one was ended at once; the second one was said to another Node-RED.
    const second = { authyId: '1', notMe: afterNotMe(2 * minute, undefined) };
    should(second.notMe.times).equal(first.notMe.times);
    should(pauseLeft(second, { now: () => 12 * minute, steady: () => minute, noted })).equal(0);
  });
});
