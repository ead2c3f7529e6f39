import should from 'should';
import { DueTimes } from '../../../nodes/lib/approval/due-times';

describe('Due times', () => {
  const item = (name: string): { name: string } => ({ name });

  it('gives what is due, first things first, and nothing before its time', () => {
    const due = new DueTimes<{ name: string }>();
    const [a, b, c] = [item('a'), item('b'), item('c')];
    due.set(a, 30);
    due.set(b, 10);
    due.set(c, 20);
    should(due.next()).equal(10);
    should(due.take(9)).be.undefined();
    should(due.take(25)).equal(b);
    should(due.take(25)).equal(c);
    should(due.take(25)).be.undefined();
    should(due.size).equal(1);
    should(due.next()).equal(30);
  });

  it('follows an item that is set anew or taken off', () => {
    const due = new DueTimes<{ name: string }>();
    const [a, b] = [item('a'), item('b')];
    due.set(a, 10);
    due.set(b, 20);
    due.set(a, 30);
    should(due.size).equal(2);
    should(due.next()).equal(20);
    due.delete(b);
    should(due.next()).equal(30);
    should(due.take(40)).equal(a);
    should(due.take(40)).be.undefined();
    should(due.next()).be.undefined();
  });

  it('agrees with sorting, whatever happens to thousands of items', () => {
    const due = new DueTimes<{ name: string }>();
    const expected = new Map<{ name: string }, number>();
    let state = 1;
    const random = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below;
    const items = Array.from({ length: 2000 }, (_, index) => item(String(index)));
    for (let step = 0; step < 10_000; step++) {
      const one = items[random(items.length)] as { name: string };
      if (random(4) === 0) {
        due.delete(one);
        expected.delete(one);
      } else {
        // No two at the same time: their order among each other is left open.
        const at = random(100_000) + step / 10_000;
        due.set(one, at);
        expected.set(one, at);
      }
    }
    const taken: { name: string }[] = [];
    for (let one = due.take(Infinity); one !== undefined; one = due.take(Infinity)) taken.push(one);
    const sorted = [...expected].sort(([, a], [, b]) => a - b).map(([one]) => one);
    should(taken.map(({ name }) => name)).eql(sorted.map(({ name }) => name));
  });
});
