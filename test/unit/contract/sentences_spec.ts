import should from 'should';
import { secondsText } from '../../../nodes/lib/contract/sentences';
import { refusedBy } from '../../../nodes/lib/approval/refusals';
import { tooManySent } from '../../../nodes/lib/services/local/sent-code';

describe('a time in a sentence', () => {
  it('is one second, or several', () => {
    should([1, 2, 60].map(secondsText)).eql(['1 second', '2 seconds', '60 seconds']);
  });

  it('so do the errors that say how long to wait, at their beginning', () => {
    should(refusedBy({ waitSeconds: 1 }).message).startWith('Wait 1 second. ');
    should(refusedBy({ waitSeconds: 9 }).message).startWith('Wait 9 seconds. ');
    should(tooManySent(1000).message).startWith('Wait 1 second before');
  });
});
