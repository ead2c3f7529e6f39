import should from 'should';
import { isPlain, plain } from '../../../nodes/lib/approver/plain-text';

describe('Texts among words that are not their author’s', () => {
  for (const [what, text] of [
    ['a line of its own', 'Garage\n30 Nov 12:00:00 - [info] Approved'],
    ['a colour of the terminal', '\u001b[32mGarage'],
    ['another direction', 'Garage\u202eeralc'],
    ['another paragraph', 'Garage\u2029Approved'],
  ] as const) {
    it(`cannot begin ${what}`, () => {
      should(isPlain(text)).be.false();
      should(isPlain(plain(text))).be.true();
      should(plain(text)).startWith(text.startsWith('Garage') ? 'Garage ' : ' ');
    });
  }

  it('stay as they are if they show what they hold', () => {
    for (const text of ['Garage – 車庫', 'Ada’s door 🚪']) {
      should(isPlain(text)).be.true();
      should(plain(text)).equal(text);
    }
    should(isPlain('👨‍👩‍👧')).be.true();
  });

  it('hold nothing in a warning that nobody sees', () => {
    const unseen = ['\u200b', '\u200e', '\u061c', '\ufeff', '\u{e0041}', '\u202e', '\u2066'];
    should(plain(`Garage${unseen.join('')}door`)).equal(`Garage${' '.repeat(unseen.length)}door`);
  });
});
