import should from 'should';
import { StartedVerifications } from '../../../../nodes/lib/services/verify/started-verifications';
import { WrongTries } from '../../../../nodes/lib/services/verify/wrong-tries';

const minute = 60_000;
const number = '+13175550142';

describe('Verifications of phone numbers that a process remembers', () => {
  it('are approved for an hour, by number and by id', () => {
    const started = new StartedVerifications();
    started.started(number, 'VE1', 0);
    should(started.isApproved({ phoneNumber: number }, minute)).be.false();
    started.approved(number, 'VE1', 2 * minute);
    for (const by of [{ phoneNumber: number }, { id: 'VE1' }]) {
      should(started.isApproved(by, 61 * minute)).be.true();
      should(started.isApproved(by, 62 * minute)).be.false();
    }
    should(started.isApproved({ id: 'VE2' }, 3 * minute)).be.false();
  });

  it('are open for ten minutes, and a new one is not approved by the one before', () => {
    const started = new StartedVerifications();
    started.started(number, 'VE1', 0);
    should(started.hasExpired(number, 10 * minute - 1)).be.false();
    should(started.hasExpired(number, 10 * minute)).be.true();
    started.approved(number, 'VE1', minute);
    started.started(number, 'VE2', 2 * minute);
    should(started.isApproved({ phoneNumber: number }, 3 * minute)).be.false();
    should(started.hasExpired('+13175550143', minute)).be.false();
  });

  it('are as many as fit, the newest', () => {
    const started = new StartedVerifications();
    for (let no = 0; no <= 20_000; no++) started.approved(`+1317${no}`, `VE${no}`, 0);
    should(started.isApproved({ id: 'VE0' }, 1)).be.false();
    should(started.isApproved({ id: 'VE1' }, 1)).be.true();
    should(started.isApproved({ id: 'VE20000' }, 1)).be.true();
  });
});

describe('Wrong codes that a process counts', () => {
  it('are ten in an hour for each person, and none of another one', () => {
    const tries = new WrongTries();
    for (let no = 0; no < 10; no++) {
      should(tries.areTooMany('1', no * minute)).be.false();
      tries.add('1', no * minute);
    }
    should(tries.areTooMany('1', 59 * minute)).be.true();
    should(tries.areTooMany('2', 59 * minute)).be.false();
    should(tries.areTooMany('1', 60 * minute)).be.false();
    tries.add('1', 60 * minute);
    should(tries.areTooMany('1', 61 * minute)).be.false();
  });
});
