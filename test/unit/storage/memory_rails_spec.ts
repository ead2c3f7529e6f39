import should from 'should';
import { MemoryRails } from '../../../nodes/lib/storage/memory-rails';
import { SetTime } from '../../support/records';

describe('Guard rails in memory', () => {
  const one = { recipient: '1', id: 'a', endsAt: 0 };

  it('count the open requests of each user', async () => {
    const rails = new MemoryRails();
    const limits = { maxOpen: 2, coolDown: 0 };
    should(await rails.admit(one, limits)).eql({ admitted: true });
    should(await rails.admit({ ...one, id: 'b' }, limits)).eql({ admitted: true });
    should(await rails.admit({ ...one, id: 'c' }, limits)).eql({ admitted: false, open: 2 });
    should(await rails.admit({ ...one, recipient: '2', id: 'd' }, limits)).eql({ admitted: true });
    await rails.release(one);
    await rails.release(one);
    should(await rails.admit({ ...one, id: 'c' }, limits)).eql({ admitted: true });
    should(await rails.admit({ ...one, id: 'e' }, limits)).eql({ admitted: false, open: 2 });
  });

  it('count open requests of an earlier run, but these start no pause', async () => {
    const rails = new MemoryRails();
    rails.count(one);
    const other = { ...one, id: 'b' };
    should(await rails.admit(other, { maxOpen: 1, coolDown: 5 })).eql({ admitted: false, open: 1 });
    should(await rails.admit(other, { maxOpen: 2, coolDown: 5 })).eql({ admitted: true });
  });

  it('keep a pause even after a request that was decided at once', async () => {
    const time = new SetTime();
    const rails = new MemoryRails(time);
    const limits = { maxOpen: 1, coolDown: 60 };
    await rails.admit(one, limits);
    await rails.release(one);
    time.move(20_000);
    const other = { ...one, id: 'b' };
    should(await rails.admit(other, limits)).eql({ admitted: false, waitSeconds: 40 });
    time.move(40_000);
    should(await rails.admit(other, limits)).eql({ admitted: true });
  });

  it('have no limit if they are 0', async () => {
    const rails = new MemoryRails();
    for (let id = 0; id < 100; id++) {
      const admission = await rails.admit({ ...one, id: String(id) }, { maxOpen: 0, coolDown: 0 });
      should(admission).eql({ admitted: true });
    }
  });

  it('forget users, except those with an open request or within a pause, however many others come', async () => {
    const time = new SetTime();
    const rails = new MemoryRails(time);
    const limits = { maxOpen: 1, coolDown: 60 };
    await rails.admit(one, limits);
    const two = { ...one, recipient: '2' };
    await rails.admit(two, limits);
    await rails.release(two);
    const crowd = async (from: number): Promise<void> => {
      for (let user = from; user < from + 25_000; user++) {
        const request = { recipient: String(user), id: String(user), endsAt: 0 };
        await rails.admit(request, limits);
        await rails.release(request);
      }
    };
    await crowd(10);
    should(await rails.admit({ ...two, id: 'c' }, limits)).eql({ admitted: false, waitSeconds: 60 });
    time.move(60_000);
    await crowd(30_000);
    should(await rails.admit({ ...one, id: 'b' }, limits)).eql({ admitted: false, open: 1 });
    should(rails.size).be.below(30_000);
  });

  it('refuse new users if they are full, instead of forgetting others', async () => {
    const time = new SetTime();
    const rails = new MemoryRails(time, 2);
    const limits = { maxOpen: 1, coolDown: 60 };
    await rails.admit(one, limits);
    await rails.admit({ ...one, recipient: '2', id: 'b' }, limits);
    await rails.release({ ...one, recipient: '2', id: 'b' });
    const third = { ...one, recipient: '3', id: 'c' };
    await rails.admit(third, limits).should.be.rejectedWith({ code: 'AUTHY_STORE' });
    time.move(60_000);
    should(await rails.admit(third, limits)).eql({ admitted: true });
  });
});
