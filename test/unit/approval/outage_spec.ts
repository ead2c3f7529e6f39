import should from 'should';
import { Outage } from '../../../nodes/lib/approval/outage';
import { realTime } from '../../../nodes/lib/time';
import { SetTime } from '../../support/records';

describe('A store that is away', () => {
  const second = 1000;
  let time: SetTime;
  let outage: Outage;
  let tried: number;

  beforeEach(() => {
    time = new SetTime();
    outage = new Outage({
      wall: () => time.wall(),
      steady: () => time.steady(),
      after: (milliseconds, call) => time.after(milliseconds, call),
      noticeSleep: () => undefined,
      turn: () => realTime.turn(),
    });
    tried = 0;
    for (let number = 0; number < 120; number++) void outage.wait().then(() => (tried += 1));
  });

  async function pass(milliseconds: number): Promise<number> {
    time.move(milliseconds);
    await realTime.turn();
    return tried;
  }

  it('is asked by a few each second, however many wait', async () => {
    should(await pass(second - 1)).equal(0);
    should(await pass(1)).equal(50);
    should(await pass(second)).equal(100);
    should(await pass(second)).equal(120);
  });

  it('is asked by all once it has answered one of them', async () => {
    should(await pass(second)).equal(50);
    outage.answered();
    should(await pass(second)).equal(120);
  });

  it('keeps nobody waiting when the node is closed', async () => {
    outage.end();
    should(await pass(0)).equal(120);
    should(await pass(5 * second)).equal(120);
  });

  it('that fails again is asked by a few again', async () => {
    outage.answered();
    void outage.wait().then(() => (tried += 1));
    should(await pass(second)).equal(50);
  });
});
