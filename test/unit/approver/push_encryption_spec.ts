import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import should from 'should';
import { checkKeys, encrypted, longestPayload } from '../../../nodes/lib/approver/push/encryption';
import { Vapid } from '../../../nodes/lib/approver/push/vapid';
import {
  newPair,
  pairOf,
  PushReceiver,
  readAuthorization,
  type VapidClaims,
} from '../../support/push_receiver';
import { cases } from '../../support/runs';

const published = JSON.parse(
  fs.readFileSync(path.join(__dirname, '..', '..', 'vectors', 'web-push.json'), 'utf8'),
) as {
  encryption: Record<
    'payload' | 'senderPrivate' | 'receiverPrivate' | 'p256dh' | 'auth' | 'salt' | 'body',
    string
  >;
  authorization: { claims: VapidClaims; header: string };
};

describe('The encryption of Web Push', () => {
  const receiver = new PushReceiver();

  it('is the published one', () => {
    const { payload, senderPrivate, receiverPrivate, p256dh, auth, salt, body } = published.encryption;
    const expected = Buffer.from(body, 'base64url');
    const chosen = {
      salt: Buffer.from(salt, 'base64url'),
      ephemeral: pairOf(senderPrivate),
      length: expected.length,
    };
    encrypted({ p256dh, auth }, Buffer.from(payload), chosen).toString('base64url').should.equal(body);
    const itsReceiver = new PushReceiver(pairOf(receiverPrivate), auth);
    itsReceiver.keys.should.eql({ p256dh, auth });
    itsReceiver.opened(expected).toString().should.equal(payload);
  });

  it('is read by the reference implementation, whatever the message', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: longestPayload }), fc.integer({ max: 255 }), (length, octet) => {
        // Zeros and twos at the end could be taken for padding.
        const payload = Buffer.alloc(length, octet & 0xff);
        receiver.opened(encrypted(receiver.keys, payload)).equals(payload).should.be.true();
      }),
      cases(200),
    );
    fc.assert(
      fc.property(fc.json(), (text) => {
        should(receiver.opened(encrypted(receiver.keys, Buffer.from(text))).toString()).equal(text);
      }),
      cases(100),
    );
  });

  it('has one length for nearly every message, and never more than all push services take', () => {
    const lengthOf = (length: number): number => encrypted(receiver.keys, Buffer.alloc(length)).length;
    for (const length of [0, 1, 200, 1944, 1945]) lengthOf(length).should.equal(2048);
    for (const length of [1946, longestPayload]) lengthOf(length).should.equal(4096);
    (() => lengthOf(longestPayload + 1)).should.throw({
      name: 'PushRefused',
      message: 'Shorten the message: it has 3994 bytes, and 3993 are possible.',
    });
  });

  it('is another one each time', () => {
    const bodies = Array.from({ length: 20 }, () => encrypted(receiver.keys, Buffer.from('same')));
    // Salt, key of the sender, and the encrypted message.
    for (const [from, to] of [
      [0, 16],
      [21, 86],
      [86, 2048],
    ]) {
      new Set(bodies.map((body) => body.subarray(from, to).toString('hex'))).size.should.equal(20);
    }
  });

  it('can be read by nobody else, and by nobody who changed it', () => {
    const body = encrypted(receiver.keys, Buffer.from('secret'));
    should(body.includes('secret')).be.false();
    (() => new PushReceiver().opened(body)).should.throw();
    for (const at of [0, 15, 30, 86, 1000, 2047]) {
      const changed = Buffer.from(body);
      changed[at] = (changed[at] ?? 0) ^ 1;
      (() => receiver.opened(changed)).should.throw();
    }
  });

  it('takes keys only in the form and of the curve that they must have, and does not show them', () => {
    const { p256dh, auth } = receiver.keys;
    checkKeys({ p256dh, auth });
    const point = Buffer.from(p256dh, 'base64url');
    const text = (bytes: Buffer): string => bytes.toString('base64url');
    const changedAt = (at: number): string => {
      const other = Buffer.from(point);
      other[at] = (other[at] ?? 0) ^ 1;
      return text(other);
    };
    const wrongPoints = [
      '',
      'A'.repeat(87),
      `${p256dh}=`,
      ` ${p256dh}`,
      `${p256dh}\n`,
      p256dh.slice(1),
      `${p256dh}AAAA`,
      point.toString('hex'),
      newPair().getPublicKey('base64url', 'compressed'),
      newPair().getPublicKey('base64url', 'hybrid'),
      // Of another form, off the curve, at infinity.
      changedAt(0),
      changedAt(64),
      text(Buffer.concat([Buffer.of(4), Buffer.alloc(64)])),
      text(Buffer.alloc(65)),
      text(Buffer.concat([Buffer.of(4), Buffer.alloc(64, 0xff)])),
    ];
    for (const wrong of wrongPoints) {
      for (const act of [checkKeys, (keys: typeof receiver.keys) => encrypted(keys, Buffer.from('x'))]) {
        (() => act({ p256dh: wrong, auth })).should
          .throw({ name: 'PushRefused', message: /^Switch notifications off and on.* p256dh / })
          .and.not.match({ message: new RegExp(wrong.slice(0, 20) || 'nothing') });
      }
    }
    const standard = Buffer.alloc(16, 0xff).toString('base64').replaceAll('=', '');
    for (const wrong of [
      '',
      'A',
      `${auth}A`,
      `${auth}==`,
      auth.slice(1),
      `${auth.slice(0, -1)}B`,
      standard,
    ]) {
      for (const act of [checkKeys, (keys: typeof receiver.keys) => encrypted(keys, Buffer.from('x'))]) {
        (() => act({ p256dh, auth: wrong })).should.throw({ name: 'PushRefused', message: / auth / });
      }
    }
  });
});

describe('Who sends a push message', () => {
  const secret = Buffer.alloc(32, 7);
  const vapid = new Vapid(secret);
  const subject = 'mailto:push@example.com';

  it('is said by a token as published', () => {
    const { claims, header } = published.authorization;
    readAuthorization(header).claims.should.eql(claims);
    const ours = vapid.authorization(claims.aud, claims.sub, (claims.exp - 12 * 60 * 60) * 1000);
    readAuthorization(ours).should.eql({ claims, key: vapid.publicKey });
    // All but the signature and the key, byte for byte.
    ours.split('.').slice(0, 2).should.eql(header.split('.').slice(0, 2));
  });

  it('counts for 12 hours, for one push service', () => {
    const before = Math.floor(Date.now() / 1000);
    const { claims } = readAuthorization(vapid.authorization('https://push.example', 'https://a.example/x'));
    claims.should.match({ aud: 'https://push.example', sub: 'https://a.example/x' });
    (claims.exp - before).should.be.within(12 * 60 * 60, 12 * 60 * 60 + 60);
  });

  it('is a key that follows from the secret alone', () => {
    new Vapid(Buffer.from(secret)).publicKey.should.equal(vapid.publicKey);
    // Every phone would have to subscribe again if this changed.
    vapid.publicKey.should.equal(
      'BNHKTVq1B9ctEa9pI7AEQFIQ4GvODwVUSbBMmxyxka5W67ZErnvWuHARnQWENDzVhsRjgmGpWbK5y-rxYEKvVxY',
    );
  });

  it('is another key for each secret, which a browser takes and which signs', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const one = new Vapid(bytes);
        one.publicKey.should.not.equal(vapid.publicKey);
        checkKeys({ p256dh: one.publicKey, auth: 'A'.repeat(22) });
        readAuthorization(one.authorization('https://push.example', subject)).key.should.equal(one.publicKey);
      }),
      cases(50),
    );
  });

  it('needs a whole secret, and somebody to turn to', () => {
    for (const length of [0, 31, 33]) {
      (() => new Vapid(Buffer.alloc(length))).should.throw(/^Give 32 random bytes/);
    }
    for (const wrong of [
      '',
      'push@example.com',
      'http://a.example',
      'mailto:',
      'mailto: <a@b.example>',
      'https://',
    ]) {
      (() => vapid.authorization('https://push.example', wrong)).should.throw({ name: 'PushRefused' });
    }
  });

  it('shows its private key to nobody who prints it', async () => {
    const { inspect } = await import('node:util');
    inspect(vapid, { depth: 9, showHidden: true }).should.not.match(/privateKey|PRIVATE|"d"/);
    Object.keys(vapid).should.eql(['publicKey']);
  });
});
