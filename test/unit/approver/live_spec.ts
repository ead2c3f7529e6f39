import { setTimeout as pause } from 'node:timers/promises';
import should from 'should';
import { hasPage, onChange, tellPages } from '../../../nodes/lib/approver/live';
import { eventually } from '../../support/node_red';

describe('The open pages of a person', () => {
  const isOpen = (authyId: string): boolean => hasPage('account', authyId);
  const open = (authyId: string, told: () => void = () => undefined): (() => void) =>
    onChange('account', authyId, told);

  it('are taken for closed only when they do not come back', async () => {
    should(isOpen('ada')).be.false();
    const close = open('ada');
    should([isOpen('ada'), isOpen('bob')]).eql([true, false]);
    const [closeOther, closeThird] = [open('ada'), open('eve')];
    for (const end of [close, closeOther, closeThird]) {
      end();
      // A stream may end more than once.
      end();
    }
    const closeAgain = open('ada');
    should([isOpen('ada'), isOpen('eve')]).eql([true, true]);
    await eventually('one to be closed', () => !isOpen('eve') || undefined);
    // What was closed before it came back ends nothing.
    await pause(100);
    should(isOpen('ada')).be.true();
    closeAgain();
    should(isOpen('ada')).be.true();
    await eventually('the other one to be closed', () => !isOpen('ada') || undefined);
  }).timeout(20_000);

  it('are told of changes while they are there', () => {
    let changes = 0;
    const close = open('max', () => (changes += 1));
    tellPages('account', 'max');
    close();
    tellPages('account', 'max');
    should(changes).equal(1);
  });
});
