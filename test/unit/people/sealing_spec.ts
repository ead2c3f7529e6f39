import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import should from 'should';
import { isAmong, type KeySources, type SealedText, Sealing } from '../../../nodes/lib/people/sealing';
import { temporaryDirectory } from '../../support/node_red';
import { cases } from '../../support/runs';

describe('The encryption of secrets', () => {
  let keyFile: string;

  beforeEach(() => {
    keyFile = path.join(temporaryDirectory(), 'secrets.key');
  });

  const sealing = (sources: KeySources, account = 'account'): Sealing => new Sealing(account, sources);
  const store = { code: 'AUTHY_STORE' };

  it('gives any text back, in its place, and a new one each time', async () => {
    const one = sealing({ credentialSecret: 'a secret' });
    const other = sealing({ credentialSecret: 'a secret' });
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary' }),
        async (place, secret) => {
          const sealed = await one.seal(place, secret);
          should(sealed).match(/^v1\.[\w-]{8}\.[\w-]+$/);
          should(await other.open(place, sealed)).equal(secret);
          should(await one.seal(place, secret)).not.equal(sealed);
        },
      ),
      cases(50),
    );
  });

  it('opens nothing that was changed, moved to another place, or sealed with another key', async () => {
    const seal = sealing({ credentialSecret: 'a secret' });
    const sealed = await seal.seal('here', 'JBSWY3DPEHPK3PXP');
    const changed = { ...store, message: /^Take the record back/ };
    await seal.open('there', sealed).should.be.rejectedWith(changed);
    const [version = '', key = '', text = ''] = sealed.split('.');
    const bytes = Buffer.from(text, 'base64url');
    for (let index = 0; index < bytes.length; index++) {
      const other = Buffer.from(bytes);
      other[index] = (other[index] ?? 0) ^ 1;
      const forged = `${version}.${key}.${other.toString('base64url')}` as SealedText;
      await seal.open('here', forged).should.be.rejectedWith(changed);
    }
    for (let length = 0; length < bytes.length; length++) {
      const cut = `${version}.${key}.${bytes.subarray(0, length).toString('base64url')}` as SealedText;
      await seal.open('here', cut).should.be.rejectedWith(changed);
    }
    const otherKey = { ...store, message: /^Set credentialSecret in settings\.js to what it was/ };
    await sealing({ credentialSecret: 'another' }).open('here', sealed).should.be.rejectedWith(otherKey);
    await sealing({ credentialSecret: 'a secret' }, 'other')
      .open('here', sealed)
      .should.be.rejectedWith(otherKey);
    await sealing({ keyFile }).open('here', sealed).should.be.rejectedWith(otherKey);
    should(fs.existsSync(keyFile)).be.false();
  });

  it('makes a key once where settings.js has none, that only its owner can read', async () => {
    const all = [sealing({ keyFile }), sealing({ keyFile }), sealing({ keyFile }, 'other')];
    const sealed = await Promise.all(all.map((one) => one.seal('here', 'text')));
    should(fs.statSync(keyFile).mode & 0o777).equal(0o600);
    should(fs.readFileSync(keyFile, 'utf8')).match(/^[0-9a-f]{64}\n$/);
    for (const [index, account] of ['account', 'account', 'other'].entries()) {
      const again = sealing({ keyFile }, account);
      should(await again.open('here', sealed[index] as SealedText)).equal('text');
    }
  });

  it('opens with the key file what was sealed before there was a credentialSecret', async () => {
    const before = await sealing({ keyFile }).seal('here', 'text');
    const now = sealing({ keyFile, credentialSecret: 'a secret' });
    should(await now.open('here', before)).equal('text');
    should(await now.isCurrent(before)).be.false();
    const sealed = await now.seal('here', 'text');
    should(await now.isCurrent(sealed)).be.true();
    should(await sealing({ credentialSecret: 'a secret' }).open('here', sealed)).equal('text');
  });

  it('leaves a file alone that is no key, and says so', async () => {
    fs.writeFileSync(keyFile, 'something else');
    const wrong = { ...store, message: /secrets\.key back from a backup/ };
    await sealing({ keyFile }).seal('here', 'text').should.be.rejectedWith(wrong);
    should(fs.readFileSync(keyFile, 'utf8')).equal('something else');
    // Once it is repaired, there is no need to begin anew.
    const seal = sealing({ keyFile });
    await seal.seal('here', 'text').should.be.rejectedWith(wrong);
    fs.writeFileSync(keyFile, 'ab'.repeat(32));
    should(await seal.open('here', await seal.seal('here', 'text'))).equal('text');
  });

  it('has no key where several Node-REDs have none in common', async () => {
    await sealing({})
      .seal('here', 'text')
      .should.be.rejectedWith({ code: 'AUTHY_BAD_CONFIG', message: /^Set credentialSecret in settings\.js/ });
  });

  it('hashes a code by each key, for its place: another place, code, account or key gives another hash', async () => {
    fs.writeFileSync(keyFile, 'ab'.repeat(32));
    const both = sealing({ keyFile, credentialSecret: 'a secret' });
    const [current, former, ...others] = await both.hashes('here', '123456');
    if (current === undefined || former === undefined) throw new Error();
    should(others).be.empty();
    should(await sealing({ credentialSecret: 'a secret' }).hashes('here', '123456')).eql([current]);
    should(await sealing({ keyFile }).hashes('here', '123456')).eql([former]);
    const different = [
      current,
      former,
      ...(await sealing({ keyFile }).hashes('there', '123456')),
      ...(await sealing({ keyFile }).hashes('here', '123457')),
      ...(await sealing({ keyFile }, 'other').hashes('here', '123456')),
      ...(await sealing({ credentialSecret: 'another' }).hashes('here', '123456')),
    ];
    should(new Set(different.map((hash) => hash.split('.')[2])).size).equal(different.length);
    for (const hash of different) should(hash).match(/^h1\.[\w-]{8}\.[\w-]{43}$/);
    should(isAmong([current, former], former)).be.true();
    should(isAmong([current], former)).be.false();
    should(isAmong([], former)).be.false();
    await sealing({}).hashes('here', '123456').should.be.rejectedWith({ code: 'AUTHY_BAD_CONFIG' });
  });

  it('is AES-256-GCM with a key derived as described, so that others can open it', async () => {
    const key = 'ab'.repeat(32);
    fs.writeFileSync(keyFile, key);
    const sealed = await sealing({ keyFile }).seal('here', 'text');
    const { createDecipheriv, hkdfSync } = await import('node:crypto');
    const info = 'authy people, secrets';
    const derived = Buffer.from(hkdfSync('sha256', Buffer.from(key, 'hex'), 'account', info, 32));
    const bytes = Buffer.from(sealed.split('.')[2] ?? '', 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', derived, bytes.subarray(0, 12))
      .setAAD(Buffer.from('here'))
      .setAuthTag(bytes.subarray(-16));
    should(decipher.update(bytes.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8')).equal(
      'text',
    );
  });
});
