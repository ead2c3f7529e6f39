import should from 'should';
import { Trials, withdrawnFirst } from '../../../nodes/lib/approval/trials';

describe('A message from the panel of a gate', () => {
  const alarms = new Map<() => void, number>();
  const trials = new Trials({
    after(milliseconds, call) {
      alarms.set(call, milliseconds);
      return () => alarms.delete(call);
    },
  });

  it('that never arrives ends after a minute, and its end comes once', async () => {
    const asked = trials.begin('lost');
    const [[ring, milliseconds] = []] = [...alarms];
    should(milliseconds).equal(60_000);
    ring?.();
    await should(asked).be.rejectedWith({ code: 'AUTHY_TIMEOUT', message: /^Look at the badge/ });
    trials.end('lost');
    alarms.clear();
  });

  it('that is asked, fails or is withdrawn ends at once, and nothing rings for it', async () => {
    const [asked, failed, withdrawn] = ['asked', 'failed', 'withdrawn'].map((id) => trials.begin(id));
    trials.end('asked');
    trials.end('failed', new Error('Why.'));
    trials.end('withdrawn', withdrawnFirst());
    trials.end('of somebody else', new Error('Not ours.'));
    await asked;
    await should(failed).be.rejectedWith('Why.');
    await should(withdrawn).be.rejectedWith(/^Ask again/);
    should(alarms.size).equal(0);
  });

  it('ends when the node is closed', async () => {
    const open = ['one', 'other'].map((id) => trials.begin(id));
    trials.close();
    for (const one of open) await should(one).be.rejectedWith(/^Look at the outputs/);
    should(alarms.size).equal(0);
  });
});
