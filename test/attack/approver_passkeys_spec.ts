import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import should from 'should';
import fc from 'fast-check';
import type { Person } from '../../nodes/lib/contract/people';
import { ApproverClient, PasskeyPhone } from '../support/approver_client';
import type { HttpAnswer } from '../support/http_request';
import { ApproverFlow } from '../support/approver_flow';
import { androidKeyRegistration } from '../support/attestation';
import { samples } from '../support/runs';
import type { Twists } from '../support/software_authenticator';

const refused = { status: 422, body: { error: 'passkeyRefused' } };

type Options = Parameters<PasskeyPhone['authenticator']['create']>[0];

/** A credential as the API takes it. */
interface Credential {
  id: unknown;
  rawId: unknown;
  type: unknown;
  response: Record<string, unknown>;
  [member: string]: unknown;
}

describe('Attack: passkeys of the approver', function () {
  this.timeout(300_000);
  let approver: ApproverFlow;
  let ada: string;
  let phone: PasskeyPhone;

  before(async () => {
    approver = new ApproverFlow();
    await approver.gate();
    ada = await approver.person();
    phone = await approver.phone(ada);
  });
  after(() => approver.stop());

  /** Approves as a phone would, but for what is wrong with it. */
  const approve = (browser: ApproverClient, id: string, credential: unknown): Promise<HttpAnswer> => {
    approver.rest();
    return browser.call('approve', { id, credential });
  };

  const optionsOf = async (browser: ApproverClient, id: string): Promise<unknown> =>
    (await browser.done('approve-options', { id }))['options'];

  /** The request is still open, and its own phone can still approve it. */
  async function staysOpen(given: string, id: string): Promise<void> {
    should(approver.flow.soFar(given).sent).eql([]);
    should(await phone.approve(id)).match({ status: 200 });
    should(await approver.outcome(given)).equal('out0');
  }

  describe('an assertion', () => {
    const twisted: [string, Twists][] = [
      ['without user verification', { userVerified: false }],
      ['without user presence', { userPresent: false }],
      ['without both', { userVerified: false, userPresent: false }],
      ['from another origin', { origin: 'https://evil.example' }],
      ['from plain http', { origin: 'http://home.example' }],
      ['from another port', { origin: 'https://home.example:8443' }],
      ['from a name below', { origin: 'https://a.home.example' }],
      ['from an origin with a slash', { origin: 'https://home.example/' }],
      ['from an app', { origin: 'android:apk-key-hash:AAAA' }],
      ['for another name', { rpId: 'evil.example' }],
      ['for a name below', { rpId: 'a.home.example' }],
      ['of the type of a registration', { type: 'webauthn.create' }],
      ['of the type of a payment', { type: 'payment.get' }],
      ['from a frame in another site', { crossOrigin: true }],
      ['from a frame, and says in which site', { crossOrigin: true, topOrigin: 'https://evil.example' }],
      ['from a frame of its own site', { crossOrigin: true, topOrigin: 'https://home.example' }],
      ['that names a site around it alone', { topOrigin: 'https://evil.example' }],
      ['with an empty challenge', { challenge: '' }],
      ['with a challenge in other letters', { challenge: 'AAAA' }],
    ];

    it('that is wrong in any one thing does not approve', async () => {
      const { given, request } = await approver.asked(ada, phone.browser);
      for (const [what, twists] of twisted) {
        const options = await optionsOf(phone.browser, request.id);
        should(await approve(phone.browser, request.id, phone.sign(options, twists))).match(refused, what);
      }
      await staysOpen(given, request.id);
    });

    it('with a counter that is not higher, or none where there was one, does not approve', async () => {
      const { given, request } = await approver.asked(ada, phone.browser);
      const options = await optionsOf(phone.browser, request.id);
      const last = phone.authenticator.counter;
      for (const counter of [last, last - 1, 1, 0]) {
        should(await approve(phone.browser, request.id, phone.sign(options, { counter }))).match(refused);
      }
      await staysOpen(given, request.id);
    });

    it('for another request of the same person does not approve, whichever way round', async () => {
      const [one, two] = [await approver.asked(ada, phone.browser), await approver.asked(ada, phone.browser)];
      const forOne = phone.sign(await optionsOf(phone.browser, one.request.id));
      should(await approve(phone.browser, two.request.id, forOne)).match(refused);
      await staysOpen(two.given, two.request.id);
      // Its counter has been overtaken.
      should(await approve(phone.browser, one.request.id, forOne)).match(refused);
      await staysOpen(one.given, one.request.id);
    });

    it('for signing in, or of a registration, does not approve; one that approves does not sign in', async () => {
      const { given, request } = await approver.asked(ada, phone.browser);
      const { options } = await approver
        .browser()
        .call('sign-in-options', {}, approver.from())
        .then(({ body }) => body);
      should(await approve(phone.browser, request.id, phone.sign(options))).match(refused);
      const approving = phone.sign(await optionsOf(phone.browser, request.id));
      const signIn = await approver.browser().call('sign-in', { credential: approving }, approver.from());
      should(signIn).match(refused);
      await staysOpen(given, request.id);
    });

    it('by another phone of the same person, or by another person, does not approve with this session', async () => {
      const tablet = await approver.phone(ada, 'Tablet');
      const bob = await approver.person('+13175550143', 'bob@example.com');
      const other = await approver.phone(bob, 'Bob’s phone');
      const { given, request } = await approver.asked(ada, phone.browser);
      const options = await optionsOf(phone.browser, request.id);
      should(await approve(phone.browser, request.id, tablet.sign(options))).match(refused);
      should(await approve(phone.browser, request.id, other.sign(options))).match(refused);
      // With the id of the right key, too.
      const id = phone.authenticator.id.toString('base64url');
      should(await approve(phone.browser, request.id, other.sign(options, { id }))).match(refused);
      // In the session of the other person the request is not there.
      const gone = { status: 404, body: { error: 'gone' } };
      should(await approve(other.browser, request.id, phone.sign(options))).match(gone);
      for (const name of ['approve-options', 'deny']) {
        should(await other.browser.call(name, { id: request.id })).match(gone);
      }
      should((await other.browser.state())['requests']).eql([]);
      await staysOpen(given, request.id);
    });

    it('for words that were changed meanwhile does not approve them', async () => {
      const changes: [string, (request: NonNullable<Person['requests']>[number]) => object][] = [
        ['message', () => ({ message: 'Open the vault?' })],
        ['details', () => ({ details: [['Door', 'Vault']] })],
        ['asker', () => ({ asker: 'Somebody else' })],
        ['hidden', () => ({ hidden: 'A'.repeat(43) })],
        ['atLeast', () => ({ atLeast: 'passkey' })],
        ['expiresAt', ({ expiresAt }) => ({ expiresAt: (expiresAt ?? 0) + 1 })],
        ['nonce', () => ({ nonce: 'A'.repeat(22) })],
      ];
      for (const [what, change] of changes) {
        const { given, request } = await approver.asked(ada, phone.browser);
        const credential = phone.sign(await optionsOf(phone.browser, request.id));
        await approver.approver.host.people().change(ada, (person) => ({
          ...person,
          requests: (person.requests ?? []).map((one) =>
            one.id === request.id ? { ...one, ...(change(one) as typeof one) } : one,
          ),
        }));
        should(await approve(phone.browser, request.id, credential)).match(refused, what);
        should(approver.flow.soFar(given).sent).eql([]);
        await phone.browser.done('deny', { id: request.id });
      }
    });

    it('counts once: the same again, and the same signature written another way, are too late', async () => {
      const { given, request } = await approver.asked(ada, phone.browser);
      const options = await optionsOf(phone.browser, request.id);
      const credential = phone.sign(options) as Credential;
      const malleated = { ...credential, response: { ...credential.response } };
      malleated.response['signature'] = otherHalf(String(credential.response['signature']));
      const answers = await Promise.all(
        [credential, malleated, credential, malleated].map((one) => approve(phone.browser, request.id, one)),
      );
      should(answers.filter(({ status }) => status === 200)).have.length(1);
      should(await approver.outcome(given)).equal('out0');
      for (const one of [credential, malleated]) {
        should(await approve(phone.browser, request.id, one)).match({
          status: 409,
          body: { error: 'answered' },
        });
      }
      // Nor is it good for the next request.
      const next = await approver.asked(ada, phone.browser);
      should(await approve(phone.browser, next.request.id, credential)).match(refused);
      await staysOpen(next.given, next.request.id);
    });

    it('whose bytes are changed anywhere does not approve', async () => {
      const { given, request } = await approver.asked(ada, phone.browser);
      const options = await optionsOf(phone.browser, request.id);
      const credential = phone.sign(options) as Credential;
      const flips = samples(
        fc.record({
          part: fc.constantFrom('signature', 'authenticatorData', 'clientDataJSON'),
          at: fc.nat(),
          bit: fc.nat(7),
        }),
        100,
      );
      for (const { part, at, bit } of flips) {
        const bytes = Buffer.from(String(credential.response[part]), 'base64url');
        const index = at % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
        const changed = {
          ...credential,
          response: { ...credential.response, [part]: bytes.toString('base64url') },
        };
        should(await calm(() => approve(phone.browser, request.id, changed))).match(refused);
      }
      await staysOpen(given, request.id);
    });

    it('in a form that nobody sends is refused, and logs nothing of it', async () => {
      const { given, request } = await approver.asked(ada, phone.browser);
      const options = await optionsOf(phone.browser, request.id);
      const credential = phone.sign(options) as Credential;
      const { response } = credential;
      const canary = 'CANARY-OF-A-CREDENTIAL';
      const text = (name: string): string => String(response[name]);
      const withPart = (part: object): object => ({ ...credential, response: { ...response, ...part } });
      const json = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      const all: unknown[] = [
        ...[
          undefined,
          null,
          0,
          1,
          true,
          '',
          canary,
          [],
          [credential],
          {},
          { response: null },
          { response: canary },
        ],
        ...[
          { ...credential, type: 'password' },
          { ...credential, id: 5 },
          { ...credential, rawId: 'AAAA' },
        ],
        ...[
          { ...credential, id: null, rawId: null },
          { ...credential, id: [credential.id], rawId: credential.rawId },
        ],
        ...['clientDataJSON', 'authenticatorData', 'signature'].flatMap((name) => [
          ...[null, 5, true, [], {}, [response[name]], '', '=', '!', canary, 'A', 'A'.repeat(12_000)].map(
            (value) => withPart({ [name]: value }),
          ),
          // Another text for the same bytes: two readers could read it differently.
          ...[`${text(name)}=`, `${text(name)}==`, ` ${text(name)}`, `${text(name)}\n`, `${text(name)}*`].map(
            (value) => withPart({ [name]: value }),
          ),
        ]),
        ...[null, [], 5, 'x', {}, { type: 'webauthn.get' }, { challenge: [request.challenge] }].map((value) =>
          withPart({ clientDataJSON: json(value) }),
        ),
        withPart({ clientDataJSON: Buffer.from('{"type":').toString('base64url') }),
        withPart({ authenticatorData: Buffer.alloc(37).toString('base64url') }),
        withPart({ authenticatorData: Buffer.alloc(36, 0xff).toString('base64url') }),
        withPart({ signature: Buffer.from('3006020100020100', 'hex').toString('base64url') }),
        withPart({ signature: Buffer.from('3006020101020101', 'hex').toString('base64url') }),
        ...otherForms(Buffer.from(text('signature'), 'base64url')).map((form) =>
          withPart({ signature: form.toString('base64url') }),
        ),
      ];
      for (const one of all) {
        should(await calm(() => approve(phone.browser, request.id, one))).match(
          refused,
          inspect(one).slice(0, 300),
        );
      }
      should(approver.flow.log.join()).not.containEql(canary);
      await staysOpen(given, request.id);
    });
  });

  describe('signing in', () => {
    const signIn = (credential: unknown): Promise<HttpAnswer> =>
      approver.browser().call('sign-in', { credential }, approver.from());
    const challenge = async (): Promise<{ challenge: string }> =>
      (await approver.browser().call('sign-in-options', {}, approver.from())).body['options'] as {
        challenge: string;
      };

    it('needs a challenge of ours, a verified person and the right page', async () => {
      const options = await challenge();
      const bytes = Buffer.from(options.challenge, 'base64url');
      for (const twists of [
        ...[
          { userVerified: false },
          { origin: 'https://evil.example' },
          { rpId: 'evil.example' },
          { crossOrigin: true },
        ],
        ...[
          { type: 'webauthn.create' },
          { topOrigin: 'https://evil.example' },
          { challenge: '' },
          { challenge: 'AAAA' },
        ],
        ...[0, 8, 24, 55].map((at) => {
          const changed = Buffer.from(bytes);
          changed[at] = (changed[at] ?? 0) ^ 1;
          return { challenge: changed.toString('base64url') };
        }),
        { challenge: bytes.subarray(0, 24).toString('base64url') },
        { challenge: `${options.challenge}=` },
        { challenge: Buffer.concat([bytes, Buffer.alloc(1)]).toString('base64url') },
      ]) {
        should(await signIn(phone.sign(options, twists))).match(refused, JSON.stringify(twists));
      }
      should(await signIn(phone.sign(options))).match({ status: 200 });
    });

    it('is possible once with a challenge, also with a key that does not count, and as nobody else', async () => {
      const synced = await approver.phone(ada, 'Synced', false);
      const credential = synced.sign(await challenge()) as Credential;
      const all = await Promise.all(Array.from({ length: 20 }, () => signIn(credential)));
      should(all.filter(({ status }) => status === 200)).have.length(1);
      const bob = await approver.person('+13175550144', 'bob2@example.com');
      await approver.phone(bob);
      const handles = [bob, '', '1', '0', '../1', '__proto__', ada.slice(0, -1), `${ada}\0`, ' ' + ada];
      for (const handle of handles) {
        const again = synced.sign(await challenge()) as Credential;
        again.response['userHandle'] = Buffer.from(handle).toString('base64url');
        should(await signIn(again)).match(refused, handle);
      }
      for (const handle of [null, 5, [ada], {}]) {
        const again = synced.sign(await challenge()) as Credential;
        again.response['userHandle'] = handle;
        should(await signIn(again)).match(refused);
      }
    });
  });

  describe('a registration', () => {
    /** Opens an invitation, and tries what it is given. */
    async function enrol(
      credentialOf: (one: PasskeyPhone, options: Options) => unknown,
      to = ada,
    ): Promise<HttpAnswer> {
      const token = await approver.invited(to);
      const one = new PasskeyPhone(approver.browser());
      const opened = await one.browser.call('invitation', { token }, approver.from());
      const credential = await credentialOf(one, opened.body['options'] as Options);
      return calm(() => one.browser.call('enrol', { token, name: 'Evil', credential }, approver.from()));
    }

    async function refuses(
      credentialOf: (one: PasskeyPhone, options: Options) => unknown,
      what: string,
    ): Promise<void> {
      const before = (await approver.kept(ada)).phones?.length;
      const { status, body } = await enrol(credentialOf);
      should({ status, body }).eql(refused, what);
      should((await approver.kept(ada)).phones?.length).equal(before, what);
    }

    /** Replaces bytes of the attestation. */
    const replaced = (credential: object, from: string, to: string): Credential => {
      const made = structuredClone(credential) as Credential;
      const hex = Buffer.from(String(made.response['attestationObject']), 'base64url').toString('hex');
      should(hex).containEql(from);
      made.response['attestationObject'] = Buffer.from(hex.replace(from, to), 'hex').toString('base64url');
      return made;
    };

    it('with another challenge, page, type, frame, or without user verification adds no phone', async () => {
      for (const twists of [
        ...[
          { challenge: 'AAAA' },
          { challenge: '' },
          { origin: 'https://evil.example' },
          { rpId: 'evil.example' },
        ],
        ...[{ type: 'webauthn.get' }, { userVerified: false }, { userPresent: false }, { crossOrigin: true }],
        { topOrigin: 'https://evil.example' },
      ]) {
        await refuses((one, options) => one.authenticator.create(options, twists), JSON.stringify(twists));
      }
      // The challenge of an invitation that was opened again since.
      const token = await approver.invited(ada);
      const one = new PasskeyPhone(approver.browser());
      const first = await one.browser.call('invitation', { token }, approver.from());
      await one.browser.call('invitation', { token }, approver.from());
      const credential = one.authenticator.create(first.body['options'] as Options);
      should(await one.browser.call('enrol', { token, name: 'x', credential }, approver.from())).match(
        refused,
      );
    });

    it('with a key of a kind that was not asked for adds no phone', async () => {
      const kinds = [
        ['EdDSA', 'a5010203262001', 'a5010203272001'],
        ['ES512', 'a5010203262001', 'a5010203382301'],
        ['no algorithm', 'a5010203262001', 'a5010204262001'],
      ];
      for (const [what = '', from = '', to = ''] of kinds) {
        await refuses((one, options) => replaced(one.authenticator.create(options), from, to), what);
      }
    });

    it('with a credential id that is there already, or is huge, adds no phone', async () => {
      const { id } = phone.authenticator;
      await refuses((one, options) => {
        Object.assign(one.authenticator, { id });
        return one.authenticator.create(options);
      }, 'the same id');
      for (const length of [0, 1537, 3000]) {
        await refuses((one, options) => {
          Object.assign(one.authenticator, { id: Buffer.alloc(length, 7) });
          return one.authenticator.create(options);
        }, `an id of ${length} bytes`);
      }
    });

    it('of another person with the same credential id is theirs alone', async () => {
      const eve = await approver.person('+13175550145', 'eve@example.com');
      const evil = new PasskeyPhone(approver.browser());
      Object.assign(evil.authenticator, { id: phone.authenticator.id });
      await evil.enrol(await approver.invited(eve));
      const { options } = await approver
        .browser()
        .call('sign-in-options', {}, approver.from())
        .then(({ body }) => body);
      const asAda = evil.sign(options) as Credential;
      asAda.response['userHandle'] = Buffer.from(ada).toString('base64url');
      should(await approver.browser().call('sign-in', { credential: asAda }, approver.from())).match(refused);
      const { given, request } = await approver.asked(ada, phone.browser);
      const credential = evil.sign(await optionsOf(phone.browser, request.id));
      should(await approve(phone.browser, request.id, credential)).match(refused);
      await staysOpen(given, request.id);
    });

    it('with certificates makes nobody call the addresses in them', async () => {
      const called: string[] = [];
      const server = http.createServer(({ url = '' }, response) => {
        called.push(url);
        response.end();
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      await refuses(
        (_, options) =>
          androidKeyRegistration(options, 'https://home.example', `http://127.0.0.1:${port}/internal`),
        'android-key',
      );
      server.close();
      should(called).eql([]);
    });

    it('in a form that nobody sends is refused', async () => {
      const deep = Buffer.alloc(8000, 0x81).toString('base64url');
      const forms: [string, (credential: Credential) => unknown][] = [
        ['no object', () => null],
        ['a text', () => 'x'],
        ['no response', (one) => ({ ...one, response: null })],
        ['deep CBOR', (one) => ({ ...one, response: { ...one.response, attestationObject: deep } })],
        ...[null, 5, [], {}, '', '=', 'AAAA', 'oA', 'v2Nmb'].map(
          (value): [string, (credential: Credential) => unknown] => [
            `the attestation ${JSON.stringify(value)}`,
            (one) => ({ ...one, response: { ...one.response, attestationObject: value } }),
          ],
        ),
        [
          'padded',
          (one) => ({
            ...one,
            response: { ...one.response, attestationObject: `${String(one.response['attestationObject'])}=` },
          }),
        ],
        ['a claim of 4 GB', (one) => replaced(one, '686175746844617461', '6861757468446174615bffffffffffff')],
        ['another format', (one) => replaced(one, '63666d74646e6f6e65', '63666d746474657374')],
      ];
      for (const [what, form] of forms) {
        await refuses((one, options) => form(one.authenticator.create(options) as Credential), what);
      }
    });
  });

  /** Node-RED writes nothing of what a stranger sends, and it is no fault of the store. */
  async function calm(work: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
    const before = approver.flow.log.length;
    const answer = await work();
    should(approver.flow.log.slice(before).filter((line) => /could not do what was asked/.test(line))).eql(
      [],
    );
    return answer;
  }
});

/** The same signature in forms that are not DER: libraries differ in whether they take them. */
function otherForms(signature: Buffer): Buffer[] {
  const inside = signature.subarray(2);
  const sequence = (...parts: Buffer[]): Buffer => {
    const body = Buffer.concat(parts);
    return Buffer.concat([Buffer.of(0x30, body.length), body]);
  };
  const lengthOfR = signature[3] ?? 0;
  const [r, s] = [signature.subarray(4, 4 + lengthOfR), signature.subarray(4 + lengthOfR)];
  return [
    Buffer.concat([signature, Buffer.of(0)]),
    Buffer.concat([signature, Buffer.alloc(600, 65)]),
    Buffer.concat([Buffer.of(0x30, 0x81, inside.length), inside]),
    sequence(inside, Buffer.of(2, 1, 1)),
    sequence(Buffer.of(2, r.length + 1, 0), r, s),
    sequence(Buffer.of(2, 0), s),
  ];
}

/** The other signature by ECDSA that is right for the same text: r, and the order of the curve less s. */
function otherHalf(signature: string): string {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const der = Buffer.from(signature, 'base64url');
  const lengthOfR = der[3] ?? 0;
  const r = der.subarray(4, 4 + lengthOfR);
  const s = BigInt(`0x${der.subarray(6 + lengthOfR).toString('hex')}`);
  let hex = (order - s).toString(16);
  if (hex.length % 2 === 1) hex = `0${hex}`;
  if (parseInt(hex.slice(0, 2), 16) >= 0x80) hex = `00${hex}`;
  const other = Buffer.from(hex, 'hex');
  const body = Buffer.concat([Buffer.of(2, r.length), r, Buffer.of(2, other.length), other]);
  return Buffer.concat([Buffer.of(0x30, body.length), body]).toString('base64url');
}
