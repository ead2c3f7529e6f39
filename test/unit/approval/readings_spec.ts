import should from 'should';
import { usualLongestPause, Watch, type Watched } from '../../../nodes/lib/approval/watch';
import verify from '../../../nodes/lib/services/verify/kind';
import type { Time } from '../../../nodes/lib/time';
import { epoch, Scheduler } from '../../simulation/scheduler';

const minute = 60_000;

/** When the status of a request is read that nobody answers, in milliseconds since it was asked. */
async function readingsOf(lifetime: number, longestPause: number): Promise<number[]> {
  const scheduler = new Scheduler();
  const time: Time = {
    wall: () => epoch + scheduler.now,
    steady: () => scheduler.now,
    after: (milliseconds, call) => scheduler.after(milliseconds, call),
    noticeSleep: () => undefined,
    turn: () => scheduler.sleep(0),
  };
  const watch = new Watch(time);
  watch.longestPause = longestPause;
  const readings: number[] = [];
  const ends: string[] = [];
  const request: Watched = {
    place: -1,
    ...{ key: 'request', recipient: '209', confirm: true, lifetime, joinedAfter: 0, waitsSince: -Infinity },
    ...{ askedAt: 0, endsAt: lifetime, mayBeAnswered: false, remind: undefined },
    isBeforeEnd: true,
    read() {
      readings.push(scheduler.now);
      return Promise.reject(new Error('It is not known.'));
    },
    seenOpen: () => undefined,
    decide: ({ decision }) => ends.push(decision),
    onUnreadable: () => undefined,
  };
  watch.add(request);
  await scheduler.run(lifetime + minute);
  should(ends).eql(['expired']);
  return readings;
}

/** The most readings within any span of time. */
function mostWithin(span: number, readings: readonly number[]): number {
  return Math.max(...readings.map((from) => readings.filter((at) => at >= from && at < from + span).length));
}

describe('Readings of the status of an approval request', () => {
  it('are fewer on Twilio Verify than Twilio allows: 60 in a minute, 180 in an hour', async () => {
    const readings = await readingsOf(60 * minute, verify.longestReadingPause ?? NaN);
    should(mostWithin(minute, readings)).be.below(60);
    should(mostWithin(60 * minute, readings)).be.within(100, 179);
  });

  it('would be more without that', async () => {
    should(mostWithin(60 * minute, await readingsOf(60 * minute, usualLongestPause))).be.above(180);
  });
});
