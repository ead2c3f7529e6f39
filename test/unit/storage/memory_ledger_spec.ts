import should from 'should';
import { MemoryLedger } from '../../../nodes/lib/storage/memory-ledger';
import { SetTime } from '../../support/records';

const id = '4a725520-bff5-0135-eb01-0e5d90336a8c';
const day = 24 * 3600 * 1000;

describe('The ledger in memory', () => {
  it('remembers which user was asked', async () => {
    const ledger = new MemoryLedger();
    should(await ledger.recipientOf(id)).be.undefined();
    await ledger.asked(id, '209', 300);
    should(await ledger.recipientOf(id)).equal('209');
  });

  it('remembers the answer to a request', async () => {
    const ledger = new MemoryLedger();
    should(await ledger.decided(id, 'denied')).equal('first');
    should(await ledger.decided(id, 'denied')).equal('duplicate');
    should(await ledger.decided(id, 'approved')).equal('conflict');
    should(await ledger.decided(id, 'denied')).equal('duplicate');
  });

  it('remembers a request until a week after its end, however many others come', async () => {
    const time = new SetTime();
    const ledger = new MemoryLedger(time);
    await ledger.asked(id, '209', 30 * 24 * 3600);
    await ledger.decided(id, 'approved');
    for (let number = 0; number < 20_000; number++) await ledger.asked(String(number), '209', 300);
    time.move(36 * day);
    await ledger.asked('other', '209', 300);
    should(await ledger.recipientOf(id)).equal('209');
    should(await ledger.decided(id, 'denied')).equal('conflict');
  });

  it('remembers an answer that came before its request for the same time', async () => {
    const time = new SetTime();
    const ledger = new MemoryLedger(time);
    await ledger.decided(id, 'approved');
    await ledger.asked(id, '209', 0);
    time.move(365 * day);
    for (let number = 0; number < 20_000; number++) await ledger.decided(String(number), 'denied');
    should(await ledger.decided(id, 'approved')).equal('duplicate');
  });

  it('remembers nothing for longer than it has to', async () => {
    const time = new SetTime();
    const ledger = new MemoryLedger(time);
    for (let number = 0; number < 1000; number++) await ledger.asked(`a${number}`, '209', 300);
    time.move(9 * day);
    for (let number = 0; number < 1000; number++) await ledger.asked(`b${number}`, '209', 300);
    should(ledger.size).equal(1000);
    should(await ledger.recipientOf('a1')).be.undefined();
  });

  it('refuses new entries if it is full, and forgets nothing', async () => {
    const time = new SetTime();
    const ledger = new MemoryLedger(time, 3);
    for (const other of ['1', '2', '3']) await ledger.asked(other, '209', 300);
    await ledger.asked('4', '209', 300).should.be.rejectedWith({ code: 'AUTHY_STORE' });
    await ledger.decided('4', 'denied').should.be.rejectedWith({ code: 'AUTHY_STORE' });
    should(await ledger.decided('1', 'denied')).equal('first');
    time.move(9 * day);
    await ledger.asked('4', '209', 300);
    should(await ledger.recipientOf('4')).equal('209');
  });
});
