import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import should from 'should';
import { filePeople } from '../../../nodes/lib/people/file-people';
import type { People } from '../../../nodes/lib/contract/people';
import type { Person } from '../../../nodes/lib/contract/people';
import { ProcessRun } from '../../../nodes/lib/storage/owned-directory';
import { temporaryDirectory } from '../../support/node_red';
import { byId, listOf, newFactor, newPerson, people as anyPeople } from '../../support/people';
import { cases } from '../../support/runs';

describe('People in files', () => {
  let root: string;
  let told: string[];

  beforeEach(() => {
    root = path.join(temporaryDirectory(), 'people');
    told = [];
  });

  /** As a process sees them that is started now. */
  function open(run = new ProcessRun(), account = 'account', credentialSecret = 'a secret'): People {
    return filePeople(
      { root, accountId: account },
      { credentialSecret, tell: (sentence) => told.push(sentence), run },
    );
  }

  function folder(): string {
    const life = fs.readdirSync(root).find((name) => name.startsWith('life-')) ?? '';
    return path.join(root, life, 'account');
  }

  const fileOf = (authyId: string): string => path.join(folder(), `${authyId}.json`);

  /** Changes a stored file as somebody might do who looks into it. */
  function edit(authyId: string, change: (value: Record<string, unknown>) => unknown): void {
    const content = JSON.parse(fs.readFileSync(fileOf(authyId), 'utf8')) as {
      value: Record<string, unknown>;
    };
    fs.writeFileSync(fileOf(authyId), JSON.stringify({ ...content, value: change(content.value) }));
  }

  it('are found by id and by phone number, also by a later run', async () => {
    const before = open();
    const ada = await before.add(newPerson({ factors: [newFactor({ lastStep: 7 })] }));
    should(ada.authyId).match(/^[1-9][0-9]{14}$/);
    should(Number.isSafeInteger(Number(ada.authyId))).be.true();
    should(ada.identity).match(/^[0-9a-f]{32}$/);
    const after = open();
    should(await after.find(ada.authyId)).eql(ada);
    should(await after.findByPhone(ada.phoneNumber)).eql(ada);
    should(await after.find('1')).be.undefined();
    should(await after.findByPhone('+491701234568')).be.undefined();
    should(await listOf(after.all())).eql([ada]);
    should(told).eql([]);
  });

  it('are read from a file of version 1, which knew no limits and no hashes; the next change writes version 3', async () => {
    const before = open();
    const ada = await before.add(newPerson({ factors: [newFactor({ lastStep: 7 })] }));
    await before.close();
    const versions: unknown[] = [];
    edit(ada.authyId, (value) => {
      versions.push(value['version']);
      return { ...value, version: 1 };
    });
    const after = open();
    should(await after.find(ada.authyId)).eql(ada);
    const limits = { sent: [1], wrong: [2, 3], wrongInARow: 2, locks: 1, lockedUntil: 4 };
    should(await after.change(ada.authyId, (person) => ({ ...person, limits }))).have.property(
      'limits',
      limits,
    );
    await after.close();
    edit(ada.authyId, (value) => {
      versions.push(value['version']);
      return value;
    });
    should(versions).eql([3, 3]);
    should(await open().find(ada.authyId)).eql({ ...ada, limits });
  });

  it('cannot be changed but by a change: what somebody does to a person that they were given is believed by nobody', async () => {
    const people = open();
    const limits = { sent: [1], wrong: [2], wrongInARow: 1, locks: 1, lockedUntil: 4 };
    const { authyId } = await people.add(newPerson({ limits }));
    await people.find(authyId);
    for (let time = 0; time < 2; time += 1) {
      const found = (await people.find(authyId)) as unknown as {
        limits: { lockedUntil: number; wrong: number[] };
      };
      should(Reflect.set(found.limits, 'lockedUntil', -1)).be.false();
      should(() => found.limits.wrong.pop()).throw(TypeError);
      should(await people.find(authyId)).match({ limits });
    }
    should(await people.change(authyId, (person) => ({ ...person, email: 'new@example.com' }))).match({
      limits,
    });
  });

  it('are the same person for the same phone number, who gets the new e-mail address', async () => {
    const people = open();
    const all = await Promise.all([1, 2, 3].map((n) => people.add(newPerson({ email: `${n}@example.com` }))));
    should(new Set(all.map(({ authyId }) => authyId)).size).equal(1);
    const [{ authyId } = { authyId: '' }] = all;
    should(await people.add(newPerson({ email: 'x@example.com', authyId }))).have.property(
      'email',
      'x@example.com',
    );
    should((await open().find(authyId))?.email).equal('x@example.com');
    should(fs.readdirSync(folder())).have.length(1);
  });

  it('keep an id that came with them, and refuse one that is somebody else', async () => {
    const people = open();
    should(await people.add(newPerson({ authyId: '1234567' }))).have.property('authyId', '1234567');
    const clash = { code: 'AUTHY_INVALID_INPUT', field: 'authyId' };
    await people.add(newPerson({ authyId: '1234568' })).should.be.rejectedWith(clash);
    await people
      .add(newPerson({ authyId: '1234567', phoneNumber: '+491701234568' }))
      .should.be.rejectedWith(clash);
    should(await listOf(people.all())).have.length(1);
  });

  it('are refused in a wrong format, before anything is written', async () => {
    const people = open();
    const wrong: [Partial<Person>, string][] = [
      [{ phoneNumber: '0170' }, 'phoneNumber'],
      [{ phoneNumber: '+49170123456789012' }, 'phoneNumber'],
      [{ countryCode: '48' }, 'countryCode'],
      [{ email: 'a b@c' }, 'email'],
      [{ authyId: '../x' }, 'authyId'],
      [{ authyId: '0' }, 'authyId'],
      [{ factors: [newFactor({ secret: 'secret' })] }, 'factors[0].secret'],
      [{ factors: [newFactor(), newFactor()] }, 'factors'],
      [{ factors: [newFactor({ id: 'a/b' })] }, 'factors[0].id'],
    ];
    for (const [more, field] of wrong) {
      const error = await people.add(newPerson(more)).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      should(error).match({ code: 'AUTHY_INVALID_INPUT', field });
      // Neither the phone number nor the address is in it.
      should(String(error)).not.match(/0170|example|c$/);
    }
    should(await listOf(people.all())).eql([]);
    should(fs.readdirSync(folder())).eql([]);
  });

  it('are changed one change after the other, and left as they are where nothing comes back', async () => {
    const run = new ProcessRun();
    // The old and the new account of a deploy.
    const [people, next] = [open(run), open(run)];
    const { authyId } = await people.add(newPerson({ factors: [newFactor({ lastStep: 0 })] }));
    // Twenty who bring the same step at the same time.
    const accepted = await Promise.all(
      Array.from({ length: 20 }, (_item, index) =>
        (index % 2 === 0 ? people : next).change(authyId, (person) => {
          const [factor = newFactor()] = person.factors;
          return (factor.lastStep ?? 0) >= 5
            ? undefined
            : { ...person, factors: [{ ...factor, lastStep: 5 }] };
        }),
      ),
    );
    should(accepted.filter((person) => person !== undefined)).have.length(1);
    should(await people.change('1', (person) => person)).be.undefined();
    await people
      .change(authyId, (person) => ({ ...person, identity: '0'.repeat(32) }))
      .should.be.rejectedWith(/identity/);
    await people
      .change(authyId, (person) => ({ ...person, email: 'no' }))
      .should.be.rejectedWith({ code: 'AUTHY_INVALID_INPUT', field: 'email' });
    should((await open().find(authyId))?.factors[0]?.lastStep).equal(5);
  });

  it('may get another phone number, if nobody has it', async () => {
    const people = open();
    const ada = await people.add(newPerson());
    const bob = await people.add(newPerson({ phoneNumber: '+491701234568' }));
    const taken = { code: 'AUTHY_INVALID_INPUT', field: 'phoneNumber' };
    await people
      .change(bob.authyId, (person) => ({ ...person, phoneNumber: ada.phoneNumber }))
      .should.be.rejectedWith(taken);
    const moved = await people.change(ada.authyId, (person) => ({ ...person, phoneNumber: '+491701234569' }));
    for (const some of [people, open()]) {
      should(await some.findByPhone('+491701234569')).eql(moved);
      should(await some.findByPhone(ada.phoneNumber)).be.undefined();
      should(await some.findByPhone(bob.phoneNumber)).eql(bob);
    }
  });

  it('are gone once removed, and their phone number is free', async () => {
    const people = open();
    const { authyId } = await people.add(newPerson());
    should(await people.remove(authyId)).be.true();
    should(await people.remove(authyId)).be.false();
    should(await people.find(authyId)).be.undefined();
    should(fs.readdirSync(folder())).eql([]);
    should((await people.add(newPerson())).authyId).not.equal(authyId);
  });

  it('are files that only their owner can read, without a secret in clear', async () => {
    const people = open();
    const { authyId } = await people.add(newPerson({ factors: [newFactor()] }));
    should(fs.statSync(folder()).mode & 0o777).equal(0o700);
    should(fs.statSync(fileOf(authyId)).mode & 0o777).equal(0o600);
    const text = fs.readFileSync(fileOf(authyId), 'utf8');
    should(text).not.containEql(newFactor().secret);
    should(text).match(/"secret":"v1\./);
  });

  it('are shared by the old and the new account of a deploy, and kept apart for each account', async () => {
    const run = new ProcessRun();
    const old = open(run);
    const ada = await old.add(newPerson());
    const next = open(run);
    should(await next.find(ada.authyId)).eql(ada);
    await old.change(ada.authyId, (person) => ({ ...person, email: 'new@example.com' }));
    await old.close();
    should((await next.find(ada.authyId))?.email).equal('new@example.com');
    should(await open(run, 'other').find(ada.authyId)).be.undefined();
  });

  it('are left to the one that took over: the one before changes and says nothing any more', async () => {
    const before = open();
    const { authyId } = await before.add(newPerson());
    const after = open();
    should(await after.find(authyId)).be.ok();
    const taken = { code: 'AUTHY_STORE', message: /taken over by another Node-RED/ };
    await before
      .change(authyId, (person) => ({ ...person, email: 'a@example.com' }))
      .should.be.rejectedWith(taken);
    await before.find(authyId).should.be.rejectedWith(taken);
    await before.findByPhone('+491701234567').should.be.rejectedWith(taken);
    await before.add(newPerson({ phoneNumber: '+491701234568' })).should.be.rejectedWith(taken);
    await before.remove(authyId).should.be.rejectedWith(taken);
    should(await after.remove(authyId)).be.true();
  });

  it('leave what cannot be read where it is, name it, and give the good ones', async () => {
    const before = open();
    const [broken, good, wrong, other] = await Promise.all(
      [0, 1, 2, 3].map((n) => before.add(newPerson({ phoneNumber: `+4917012345${60 + n}` }))),
    );
    if (!broken || !good || !wrong || !other) throw new Error();
    await before.close();
    fs.writeFileSync(fileOf(broken.authyId), '{"half');
    edit(wrong.authyId, (value) => ({ ...value, email: 5 }));
    fs.renameSync(fileOf(other.authyId), path.join(folder(), `${other.authyId}.passing.json`));
    fs.writeFileSync(path.join(folder(), 'notes.txt'), 'mine');
    const names = fs.readdirSync(folder()).sort();

    const people = open();
    should(await listOf(people.all())).eql([good]);
    should(told).have.length(4);
    const all = told.join('\n');
    for (const name of [broken.authyId, wrong.authyId, other.authyId, 'notes.txt', 'its email is not']) {
      should(all).containEql(name);
    }
    for (const { authyId } of [broken, wrong]) {
      const unreadable = { code: 'AUTHY_STORE', message: new RegExp(`^Repair or remove .*${authyId}`) };
      await people.find(authyId).should.be.rejectedWith(unreadable);
      await people.change(authyId, (person) => person).should.be.rejectedWith(unreadable);
      await people.remove(authyId).should.be.rejectedWith(unreadable);
      await people
        .add(newPerson({ authyId, phoneNumber: '+491701234599' }))
        .should.be.rejectedWith(unreadable);
    }
    should(all).not.match(/\+49|example\.com/);
    should(fs.readdirSync(folder()).sort()).eql(names);
  });

  it('name two files with the same phone number, and guess neither', async () => {
    const before = open();
    const [one, two] = [
      await before.add(newPerson()),
      await before.add(newPerson({ phoneNumber: '+491701234568' })),
    ];
    await before.close();
    edit(two.authyId, (value) => ({ ...value, phoneNumber: one.phoneNumber }));
    const people = open();
    should(await people.find(one.authyId)).eql(one);
    should(told[0])
      .match(/same phone number/)
      .and.containEql(one.authyId)
      .and.containEql(two.authyId);
    const doubt = { code: 'AUTHY_STORE', message: /^Remove one of the files/ };
    await people.findByPhone(one.phoneNumber).should.be.rejectedWith(doubt);
    await people.add(newPerson()).should.be.rejectedWith(doubt);
  });

  it('say that a file was removed while it was in use, and make nothing anew', async () => {
    const people = open();
    const { authyId } = await people.add(newPerson());
    fs.rmSync(fileOf(authyId));
    const gone = { code: 'AUTHY_STORE', message: /^Put the file .* back/ };
    await people
      .change(authyId, (person) => ({ ...person, email: 'a@example.com' }))
      .should.be.rejectedWith(gone);
    await people.remove(authyId).should.be.rejectedWith(gone);
    should(fs.readdirSync(folder())).eql([]);
  });

  it('survive a folder that cannot be written for a while', async () => {
    const people = open();
    const { authyId } = await people.add(newPerson());
    // A folder in the place of the temporary file: as root, no permission would be refused.
    fs.mkdirSync(`${fileOf(authyId)}.tmp`);
    await people
      .change(authyId, (person) => ({ ...person, email: 'a@example.com' }))
      .should.be.rejectedWith({ code: 'AUTHY_STORE' });
    should((await people.find(authyId))?.email).equal('ada@example.com');
    fs.rmSync(`${fileOf(authyId)}.tmp`, { recursive: true, force: true });
    should(await people.change(authyId, (person) => ({ ...person, email: 'a@example.com' }))).be.ok();
  });

  it('say of a phone number that nobody knows whose it is, after a change of it has failed', async () => {
    const people = open();
    const { authyId } = await people.add(newPerson());
    fs.mkdirSync(`${fileOf(authyId)}.tmp`);
    const move = () => people.change(authyId, (person) => ({ ...person, phoneNumber: '+491701234568' }));
    await move().should.be.rejectedWith({ code: 'AUTHY_STORE' });
    const doubt = { code: 'AUTHY_STORE', message: new RegExp(`^Change the person ${authyId} again`) };
    await people.findByPhone('+491701234568').should.be.rejectedWith(doubt);
    await people.add(newPerson({ phoneNumber: '+491701234568' })).should.be.rejectedWith(doubt);
    should((await people.findByPhone('+491701234567'))?.authyId).equal(authyId);
    fs.rmSync(`${fileOf(authyId)}.tmp`, { recursive: true, force: true });
    should(await move()).be.ok();
    should((await people.findByPhone('+491701234568'))?.authyId).equal(authyId);
    should(await people.findByPhone('+491701234567')).be.undefined();
  });

  it('are not there where adding has failed, unless a file is left', async () => {
    const people = open();
    await people.find('1');
    const [gone, left] = [
      newPerson({ authyId: '7' }),
      newPerson({ authyId: '8', phoneNumber: '+491701234568' }),
    ];
    fs.mkdirSync(`${fileOf('7')}.tmp`);
    await people.add(gone).should.be.rejectedWith({ code: 'AUTHY_STORE' });
    should(await people.findByPhone(gone.phoneNumber)).be.undefined();
    fs.rmSync(`${fileOf('7')}.tmp`, { recursive: true, force: true });
    should(await people.add(gone)).have.property('authyId', '7');
    // What can be neither replaced nor removed.
    fs.mkdirSync(path.join(fileOf('8'), 'x'), { recursive: true });
    await people.add(left).should.be.rejectedWith({ code: 'AUTHY_STORE' });
    const doubt = { code: 'AUTHY_STORE', message: /^Restart Node-RED, once its disk works/ };
    await people.findByPhone(left.phoneNumber).should.be.rejectedWith(doubt);
  });

  it('have their secrets encrypted anew with the next change, once there is a credentialSecret', async () => {
    const before = open(new ProcessRun(), 'account', '');
    const { authyId } = await before.add(newPerson({ factors: [newFactor()] }));
    await before.close();
    const after = open();
    should((await after.find(authyId))?.factors).eql([newFactor()]);
    await after.change(authyId, (person) => ({ ...person, email: 'new@example.com' }));
    const text = fs.readFileSync(fileOf(authyId), 'utf8');
    // From then on it stays.
    await after.change(authyId, (person) => ({ ...person, email: 'newer@example.com' }));
    const sealed = /v1\.[\w.-]+/.exec(text)?.[0] ?? '?';
    should(fs.readFileSync(fileOf(authyId), 'utf8'))
      .containEql(sealed)
      .and.containEql('newer@');
    await after.close();
    fs.rmSync(path.join(root, 'secrets.key'));
    should((await open().find(authyId))?.factors).eql([newFactor()]);
  });

  it('come back as they were, whoever they are', async () => {
    await fc.assert(
      fc.asyncProperty(anyPeople, async (all) => {
        root = path.join(temporaryDirectory(), 'people');
        // A key from a file takes no time.
        const fresh = (): People => open(new ProcessRun(), 'account', '');
        const people = fresh();
        for (const person of all) should(await people.add(person)).eql(person);
        await people.close();
        should(byId(await listOf(fresh().all()))).eql(byId(all));
      }),
      cases(25),
    );
  }).timeout(60_000);

  it('are refused or read where a stored value is hostile, and never a crash', async () => {
    const before = open();
    const { authyId } = await before.add(newPerson({ factors: [newFactor()] }));
    await before.close();
    const original = fs.readFileSync(fileOf(authyId), 'utf8');
    const { value } = JSON.parse(original) as { value: Record<string, unknown> };
    const hostile = fc.oneof(
      fc.jsonValue(),
      fc
        .tuple(fc.constantFrom(...Object.keys(value)), fc.jsonValue())
        .map(([name, other]) => ({ ...value, [name]: other })),
      fc.tuple(fc.string(), fc.jsonValue()).map(([name, other]) => ({ ...value, [name]: other })),
    );
    await fc.assert(
      fc.asyncProperty(hostile, async (other) => {
        edit(authyId, () => other);
        const people = open();
        const found = await people.find(authyId).catch((error: unknown) => error);
        if (found instanceof Error) should(found).have.property('code', 'AUTHY_STORE');
        else if (found !== undefined) should(found).have.property('authyId', authyId);
        await people.close();
      }),
      cases(60),
    );
  }).timeout(60_000);
});
