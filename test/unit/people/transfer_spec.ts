import path from 'node:path';
import fc from 'fast-check';
import should from 'should';
import { csvLine, readCsv } from '../../../nodes/lib/people/csv';
import { filePeople } from '../../../nodes/lib/people/file-people';
import type { People, Person } from '../../../nodes/lib/contract/people';
import { exportPeople, importPeople, type ListFormat } from '../../../nodes/lib/people/transfer';
import { ProcessRun } from '../../../nodes/lib/storage/owned-directory';
import { temporaryDirectory } from '../../support/node_red';
import { byId, listOf, newFactor, newPerson, people as anyPeople } from '../../support/people';
import { cases } from '../../support/runs';

describe('Lists of people', () => {
  const secret = newFactor().secret ?? '';

  function open(): People {
    const root = path.join(temporaryDirectory(), 'people');
    return filePeople({ root, accountId: 'account' }, { tell: () => undefined, run: new ProcessRun() });
  }

  async function exported(people: People, format: ListFormat, secrets = true): Promise<string> {
    return (await listOf(exportPeople(people, { format, secrets }))).join('');
  }

  const imported = (people: People, format: ListFormat, text: string) =>
    importPeople(people, text, { format, rule: 'possible' });

  /** The sentences of a list that is refused, and with which nobody is added. */
  async function refused(people: People, format: ListFormat, text: string): Promise<string> {
    const before = await listOf(people.all());
    const error = await importPeople(people, text, { format }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    should(error).match({ code: 'AUTHY_INVALID_INPUT', field: 'list' });
    should(await listOf(people.all())).eql(before);
    return (error as Error).message;
  }

  it('CSV: any cells come back as they were', () => {
    const cell = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^['=+\-@"\t\r\n ,;a]{0,8}$/));
    fc.assert(
      fc.property(fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 5 }), (rows) => {
        // What separates is known by the first line.
        const all = [['one', 'two'], ...rows];
        should(readCsv(all.map(csvLine).join('')).map(({ cells }) => cells)).eql(all);
      }),
      cases(500),
    );
  });

  it('CSV: no cell is a formula to a spreadsheet', () => {
    for (const cell of [
      '=1+1',
      '+49',
      '-1',
      '@SUM(A1)',
      '\t=1',
      '\r=1',
      '=HYPERLINK("http://x")@example.com',
    ]) {
      should(csvLine([cell])).match(/^"?'/);
    }
  });

  it('CSV: is read as spreadsheets write it, and refused where quotes are wrong', () => {
    should(readCsv('\ufeffa;b\n"x;1";"y ""z"""\n\n1;\r\n')).eql([
      { line: 1, cells: ['a', 'b'] },
      { line: 2, cells: ['x;1', 'y "z"'] },
      { line: 4, cells: ['1', ''] },
    ]);
    should(readCsv('a\tb\n"1\n2"\t3\nlast\tline')[2]).eql({ line: 4, cells: ['last', 'line'] });
    for (const [wrong, line] of [
      ['a,b\n"x', 2],
      ['a,b\nx"y,1', 2],
      ['a,b\n"x"y,1', 2],
      ['a,b\n"1\n2"3,4', 3],
    ] as const) {
      should(() => readCsv(wrong)).throw(new RegExp(`^line ${line}: `));
    }
  });

  it('JSON: all people come back as they were', async () => {
    await fc.assert(
      fc.asyncProperty(anyPeople, async (all) => {
        const [from, to] = [open(), open()];
        for (const person of all) await from.add(person);
        const list = await exported(from, 'json');
        should(await imported(to, 'json', list)).eql({ added: all.length, changed: 0, unchanged: 0 });
        should(byId(await listOf(to.all()))).eql(byId(all));
        should(await imported(to, 'json', list)).eql({ added: 0, changed: 0, unchanged: all.length });
      }),
      cases(15),
    );
  });

  it('CSV: ids, phone numbers, e-mail addresses and secrets come back as they were', async () => {
    const shown = (people: readonly Person[]) =>
      byId(people).map(({ authyId, phoneNumber, countryCode, email, factors }) => ({
        ...{ authyId, phoneNumber, countryCode, email },
        secret: factors.find(({ type, secret }) => type === 'totp' && secret !== undefined)?.secret,
      }));
    await fc.assert(
      fc.asyncProperty(anyPeople, async (people) => {
        // One authenticator at most.
        const all = people.map((person) => ({ ...person, factors: person.factors.slice(0, 1) }));
        const [from, to] = [open(), open()];
        for (const person of all) await from.add(person);
        const list = await exported(from, 'csv');
        should(await imported(to, 'csv', list)).have.property('added', all.length);
        should(shown(await listOf(to.all()))).eql(shown(all));
        should(await imported(to, 'csv', list)).have.property('unchanged', all.length);
      }),
      cases(15),
    );
  });

  it('have secrets only if that is asked for', async () => {
    const people = open();
    await people.add(newPerson({ authyId: '7', factors: [newFactor()] }));
    for (const format of ['csv', 'json'] as const) {
      should(await exported(people, format)).containEql(secret);
      should(await exported(people, format, false)).not.containEql(secret);
    }
    should(await exported(people, 'csv', false)).equal(
      "authyId,phoneNumber,countryCode,email\r\n7,'+491701234567,49,ada@example.com\r\n",
    );
  });

  it('of Authy come in by any of their usual names, and keep their ids', async () => {
    const people = open();
    const list = [
      'Authy ID;Cellphone;Country Code;E-Mail;Secret;Department',
      `1234567;0170 1234567;49;ada@example.com;${secret};R&D`,
      '"1234568";"317-555-0142";1;bob@example.com;;"sales; support"',
      ';+44 7400 123456;;;;',
    ].join('\r\n');
    should(await importPeople(people, list, { format: 'csv', rule: 'possible' })).eql({
      added: 3,
      changed: 0,
      unchanged: 0,
    });
    const ada = await people.find('1234567');
    should(ada).match({ phoneNumber: '+491701234567', countryCode: '49', email: 'ada@example.com' });
    should(ada?.factors).match([{ type: 'totp', state: 'verified', secret }]);
    should(await people.findByPhone('+13175550142')).match({ authyId: '1234568', factors: [] });
    should((await people.findByPhone('+447400123456'))?.authyId).match(/^[1-9][0-9]{14}$/);
  });

  it('change nothing of what somebody has, and add what they do not have', async () => {
    const people = open();
    const factor = newFactor({ lastStep: 9 });
    const { authyId } = await people.add(newPerson({ factors: [factor] }));
    const other = 'A'.repeat(32);
    const list = `phone,email,secret\n+491701234567,new@example.com,${secret}\n`;
    should(await importPeople(people, list, { format: 'csv' })).eql({ added: 0, changed: 1, unchanged: 0 });
    should(await people.find(authyId)).match({ email: 'new@example.com', factors: [factor] });
    should(
      await importPeople(people, `phone,email,secret\n+491701234567,,${other}\n`, { format: 'csv' }),
    ).have.property('unchanged', 1);
    const after = await people.find(authyId);
    should(after?.email).equal('new@example.com');
    // An older list must not bring back an authenticator that was replaced.
    should(after?.factors).eql([factor]);
  });

  it('take over the last step of a code that was accepted elsewhere, and never an older one', async () => {
    const people = open();
    const { authyId } = await people.add(newPerson({ factors: [newFactor({ lastStep: 9 })] }));
    for (const [lastStep, expected] of [
      [20, 20],
      [10, 20],
      [undefined, 20],
    ] as const) {
      const factor = newFactor(lastStep === undefined ? {} : { lastStep });
      const list = JSON.stringify([{ phoneNumber: '+491701234567', factors: [factor] }]);
      await importPeople(people, list, { format: 'json' });
      should((await people.find(authyId))?.factors).match([{ lastStep: expected }]);
    }
  });

  it('are refused where two people would have the same identity or authenticator, in the list or here', async () => {
    const people = open();
    const { identity, authyId } = await people.add(newPerson({ factors: [newFactor()] }));
    const second = { phoneNumber: '+13175550142', countryCode: '1' };
    for (const one of [
      { ...second, identity },
      { ...second, factors: [newFactor()] },
      { ...second, factors: [newFactor({ id: 'YF2' })] },
    ]) {
      await importPeople(people, JSON.stringify([one]), { format: 'json' }).should.be.rejectedWith({
        code: 'AUTHY_INVALID_INPUT',
        message: /person 1: its identity or an authenticator of it belongs to another person/,
      });
    }
    await people.remove(authyId);
    const list = `phone,secret\n+491701234567,${secret}\n+13175550142,${secret}\n`;
    await importPeople(people, list, { format: 'csv' }).should.be.rejectedWith({
      message: /line 3: its identity/,
    });
    should(await people.findByPhone('+491701234567')).be.undefined();
  });

  it('are refused as a whole where lines are wrong, which are named, and show nothing of them', async () => {
    const people = open();
    await people.add(newPerson({ authyId: '7' }));
    await people.add(newPerson({ authyId: '8', phoneNumber: '+491701234568' }));
    const head = 'authyId,phoneNumber,email,totpSecret\n';
    const wrongLines: [string, RegExp][] = [
      ['1,+4917,,\n2,+491701234569,,\n', /^line 2: phoneNumber is /m],
      ['1,,,\n', /line 2: phoneNumber is missing/],
      ['x1,+491701234569,,\n', /line 2: authyId must be an Authy ID/],
      ['1,+491701234569,no mail,\n', /line 2: email must be an e-mail address/],
      ['1,+491701234569,,jbswy3dp\n', /line 2: totpSecret must be base32/],
      ['1,+491701234569,\n', /line 2: person has another number of cells/],
      [
        '1,+491701234569,,\n2,+49 170 1234569,,\n',
        /line 2 and line 3: the same phone number, but not the same Authy ID/,
      ],
      [
        '1,+491701234569,,\n1,+491701234570,,\n',
        /line 2 and line 3: the same Authy ID, but not the same phone number/,
      ],
      ['1,+491701234569,,\n1,+491701234569,,\n', /line 2 and line 3: the same person/],
      ['7,+491701234569,,\n', /line 2: the Authy ID 7 is known here with another phone number/],
      ['1,+491701234567,,\n', /line 2: its phone number is known here with the Authy ID 7/],
      ['7,+491701234568,,\n', /line 2: its phone number is known here with the Authy ID 8/],
      ['1,"+49\n', /line 2: a quote is in the wrong place/],
    ];
    for (const [lines, expected] of wrongLines) {
      const message = await refused(people, 'csv', head + lines);
      should(message).match(expected);
      should(message).not.match(/170123|no mail|jbswy/);
    }
    const many = await refused(people, 'csv', `${head}${'1,x,,\n'.repeat(50)}`);
    should(many).match(/and 30 more$/);
    for (const wrong of ['', 'name,email\na,b\n', 'phone,cellphone\n1,2\n', 'constructor\nx\n']) {
      await refused(people, 'csv', wrong);
    }
  });

  it('are refused where JSON is not a list of people', async () => {
    const people = open();
    const list = (person: unknown): string => JSON.stringify([person]);
    const phoneNumber = '+491701234569';
    for (const wrong of [
      ...['', '{', 'null', '5', '{}', '{"people":[]}', '{"format":"authy-people","version":2,"people":[]}'],
      ...['{"format":"authy-people","version":1,"people":{}}', '[null]', '["x"]', '[[]]', '[{}]'],
      list({ phoneNumber: 491701234569 }),
      list({ phoneNumber, authyId: null }),
      list({ phoneNumber, name: 'Ada' }),
      list({ phoneNumber, factors: {} }),
      list({ phoneNumber, factors: [null] }),
      list({ phoneNumber, factors: 'x' }),
      list({ phoneNumber, factors: [{ ...newFactor(), more: 1 }] }),
      list({ phoneNumber, verification: [] }),
      list({ phoneNumber, identity: 'ada@example.com' }),
      list({ phoneNumber, createdAt: '1' }),
      `[{"phoneNumber":"${phoneNumber}","__proto__":{"authyId":"1"}}]`,
    ]) {
      await refused(people, 'json', wrong);
    }
    should(await importPeople(people, list({ phoneNumber }), { format: 'json' })).have.property('added', 1);
    should(await importPeople(people, '[]', { format: 'json' })).have.property('added', 0);
    // A service knows them by it: another one would be somebody else there.
    const other = list({ phoneNumber, identity: '0'.repeat(32) });
    should(await refused(people, 'json', other)).match(/person 1: .* known here with another identity/);
  });
});
