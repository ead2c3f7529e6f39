import should from 'should';
import { OpenRequests } from '../../../nodes/lib/approval/guard-rails';

describe('Guard rails', () => {
  const one = { authyId: '1', id: 'a' };

  it('count the open requests of each user', () => {
    const open = new OpenRequests();
    const rails = { maxOpen: 2, coolDown: 0 };
    should(open.admit(one, rails)).eql({ admitted: true });
    should(open.admit({ ...one, id: 'b' }, rails)).eql({ admitted: true });
    should(open.admit({ ...one, id: 'c' }, rails)).eql({ admitted: false, open: 2 });
    should(open.admit({ authyId: '2', id: 'd' }, rails)).eql({ admitted: true });
    open.release(one);
    should(open.admit({ ...one, id: 'c' }, rails)).eql({ admitted: true });
  });

  it('count those of an earlier run, which are no reason for a pause', () => {
    const open = new OpenRequests();
    open.count(one);
    should(open.admit({ ...one, id: 'b' }, { maxOpen: 1, coolDown: 5 })).eql({ admitted: false, open: 1 });
    should(open.admit({ ...one, id: 'b' }, { maxOpen: 2, coolDown: 5 })).eql({ admitted: true });
  });

  it('keep a pause, also after a request that was decided at once', () => {
    const open = new OpenRequests();
    const rails = { maxOpen: 1, coolDown: 60 };
    open.admit(one, rails);
    open.release(one);
    should(open.admit({ ...one, id: 'b' }, rails)).match({ admitted: false, waitSeconds: 60 });
  });

  it('are no limit where they are 0', () => {
    const open = new OpenRequests();
    for (let id = 0; id < 100; id++) {
      should(open.admit({ authyId: '1', id: String(id) }, { maxOpen: 0, coolDown: 0 })).eql({
        admitted: true,
      });
    }
  });

  it('forget users, but none who has something open', () => {
    const open = new OpenRequests();
    const rails = { maxOpen: 1, coolDown: 0 };
    open.admit(one, rails);
    for (let user = 2; user < 25_000; user++) {
      const request = { authyId: String(user), id: 'x' };
      open.admit(request, rails);
      open.release(request);
    }
    should(open.admit({ ...one, id: 'b' }, rails)).eql({ admitted: false, open: 1 });
  });
});
