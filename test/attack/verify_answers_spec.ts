import fc from 'fast-check';
import { Secret, TOTP } from 'otpauth';
import should from 'should';
import { AuthyError } from '../../nodes/lib/contract/errors';
import type { Person } from '../../nodes/lib/contract/people';
import type { VerifyService } from '../../nodes/lib/services/verify/service';
import { uuidOf } from '../../nodes/lib/services/verify/sids';
import { samples } from '../support/runs';
import type { Step } from '../support/scripted_server';
import { serviceSid, VerifyOnServer } from '../support/verify_on_server';

const hex = (digit: string): string => digit.repeat(32);
const verificationSid = `VE${hex('2')}`;
const factorSid = `YF${hex('3')}`;
const challengeSid = `YC${hex('4')}`;
/** The id of that challenge, as these nodes have it. */
const approvalId = uuidOf(challengeSid);
const phone = { phoneNumber: '+13175550142', countryCode: '1' };
const code = '123456';

/** A way in which a code is judged: what Twilio documents as its yes, and which yes it may be. */
interface Way {
  /** The documented answer that says yes. */
  readonly yes: (person: Person) => Record<string, unknown>;
  /** Whether a body is a yes to this very question, by a strict and independent reading. */
  readonly isYes: (own: (name: string) => unknown, person: Person) => boolean;
  /** What the account knows of the person. */
  readonly knows: (person: Person) => Person;
  readonly ask: (service: VerifyService, authyId: string, token: string) => Promise<string>;
  /** The outcome that is its yes; `valid` if it is absent. */
  readonly verdict?: string;
  readonly count: number;
}

const secret = new Secret({ size: 20 }).base32;
const totp = {
  id: factorSid,
  type: 'totp',
  service: serviceSid,
  name: 'phone',
  secret,
  createdAt: 1,
} as const;

function withoutVerification(person: Person): Person {
  const others = { ...person };
  delete (others as { verification?: unknown }).verification;
  return others;
}

/** With an authenticator, and without a code that was sent. */
function withFactor(person: Person, state: 'unverified' | 'verified'): Person {
  return { ...withoutVerification(person), factors: [{ ...totp, state }] };
}

const askToken: Way['ask'] = async (service, authyId, token) =>
  (await service.perform('tokenVerify', { authyId, token })).outcome;

const ways: Readonly<Record<string, Way>> = {
  'the check of a code that was sent to a person': {
    yes: () => ({
      sid: verificationSid,
      service_sid: serviceSid,
      to: phone.phoneNumber,
      status: 'approved',
      valid: true,
    }),
    isYes: (own) =>
      own('sid') === verificationSid &&
      own('service_sid') === serviceSid &&
      own('to') === phone.phoneNumber &&
      own('status') === 'approved' &&
      own('valid') !== false,
    knows: (person) => ({
      ...person,
      factors: [],
      verification: { id: verificationSid, channel: 'sms', to: phone.phoneNumber, startedAt: Date.now() },
    }),
    ask: askToken,
    count: 3000,
  },
  'the check of a phone number': {
    yes: () => ({
      sid: verificationSid,
      service_sid: serviceSid,
      to: phone.phoneNumber,
      status: 'approved',
      valid: true,
    }),
    isYes: (own) =>
      /^VE[0-9a-f]{32}$/i.test(String(own('sid'))) &&
      own('service_sid') === serviceSid &&
      own('to') === phone.phoneNumber &&
      own('status') === 'approved' &&
      own('valid') !== false,
    knows: (person) => person,
    ask: async (service, _authyId, token) =>
      (await service.perform('phoneCheck', { ...phone, code: token })).outcome,
    count: 3000,
  },
  'the confirmation of an authenticator': {
    yes: ({ identity }) => ({
      sid: factorSid,
      service_sid: serviceSid,
      identity,
      status: 'verified',
      factor_type: 'totp',
    }),
    isYes: (own, { identity }) =>
      own('sid') === factorSid && own('identity') === identity && own('status') === 'verified',
    knows: (person) => withFactor(person, 'unverified'),
    ask: askToken,
    count: 2000,
  },
  'a challenge of an authenticator': {
    yes: ({ identity }) => ({
      sid: challengeSid,
      service_sid: serviceSid,
      identity,
      factor_sid: factorSid,
      status: 'approved',
      responded_reason: 'none',
    }),
    isYes: (own, { identity }) =>
      /^YC[0-9a-f]{32}$/i.test(String(own('sid'))) &&
      own('factor_sid') === factorSid &&
      own('identity') === identity &&
      own('status') === 'approved',
    knows: (person) => withFactor(person, 'verified'),
    ask: askToken,
    count: 2000,
  },
  'the status of an approval request': {
    yes: ({ identity }) => ({
      sid: challengeSid,
      service_sid: serviceSid,
      identity,
      factor_sid: factorSid,
      factor_type: 'push',
      status: 'approved',
      responded_reason: 'none',
    }),
    isYes: (own, { identity }) =>
      own('sid') === challengeSid &&
      own('identity') === identity &&
      own('factor_type') === 'push' &&
      own('status') === 'approved',
    knows: (person) => person,
    // A reading is repeated as long as there is time.
    ask: async (service) =>
      (await service.perform('onetouchStatus', { approvalId }, { deadline: 100 })).outcome,
    verdict: 'approved',
    count: 1000,
  },
};

const isErrorNumber = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;

const wrong = fc.oneof(
  fc.constantFrom<unknown>(
    ...[
      null,
      true,
      false,
      0,
      1,
      '',
      ' ',
      'approved',
      'verified',
      'valid',
      'Approved',
      'approved ',
      'pending',
      'canceled',
    ],
    ...[
      [],
      {},
      ['approved'],
      { toString: 'approved' },
      'unverified',
      'expired',
      'max_attempts_reached',
      'x'.repeat(5000),
    ],
    ...[`VE${hex('9')}`, `VA${hex('9')}`, `YF${hex('9')}`, '+13175550143', hex('9')],
  ),
  fc.jsonValue({ maxDepth: 2 }),
);

interface Change {
  readonly name: string;
  readonly value: unknown;
}

const names = [
  'sid',
  'service_sid',
  'to',
  'status',
  'valid',
  'identity',
  'factor_sid',
  'factor_type',
  'code',
  '__proto__',
  'constructor',
];

/** What is done to the documented answer, and to its text. */
const hostile = fc.record({
  status: fc.constantFrom(
    200,
    200,
    200,
    201,
    202,
    204,
    206,
    300,
    302,
    400,
    401,
    403,
    404,
    409,
    418,
    429,
    500,
    502,
    503,
  ),
  changes: fc.array(fc.record<Change>({ name: fc.constantFrom(...names), value: wrong }), { maxLength: 4 }),
  removed: fc.array(fc.constantFrom(...names), { maxLength: 2 }),
  error: fc.option(
    fc.constantFrom(
      20003,
      20404,
      20429,
      60200,
      60202,
      60203,
      60308,
      60310,
      60311,
      60312,
      60323,
      60324,
      99999,
    ),
    { nil: undefined, freq: 5 },
  ),
  text: fc.oneof(
    { weight: 8, arbitrary: fc.constant((text: string) => text) },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        (text: string) => text.slice(0, -1),
        (text: string) => `\uFEFF${text}`,
        (text: string) => `[${text}]`,
        (text: string) => JSON.stringify(text),
        (text: string) => `<html>${text}</html>`,
        (text: string) => `${text}${text}`,
        (text: string) => text.replace('{', '{"status":"approved","valid":true,'),
        () => '',
        () => 'approved',
      ),
    },
  ),
  type: fc.constantFrom('application/json', 'application/json', 'text/html', ''),
});

describe('Attack: answers of Twilio that must not be believed', function () {
  this.timeout(0);
  const account = new VerifyOnServer();
  const { server, people } = account;
  let service: VerifyService;
  let person: Person;

  before(async () => {
    ({ service } = await account.start());
    person = await people.add({ ...phone, email: 'ada@example.com' });
    account.asked.set(approvalId, person.authyId);
  });
  after(() => account.stop());

  /** How a code ends with an answer: the outcome, or the code of the error. */
  async function endOf({ knows, ask }: Way, step: Step): Promise<string> {
    await people.change(person.authyId, knows);
    server.script(step);
    const token = new TOTP({ secret: Secret.fromBase32(secret) }).generate();
    const { factors } = knows(person);
    try {
      return await ask(service, person.authyId, factors.length > 0 ? token : code);
    } catch (error) {
      if (error instanceof AuthyError) return error.code;
      throw error;
    }
  }

  for (const [name, way] of Object.entries(ways)) {
    it(`${name}: the documented yes is one, so that what follows can fail`, async () => {
      should(await endOf(way, { status: 200, json: way.yes(person) })).equal(way.verdict ?? 'valid');
    });

    it(`${name}: nothing else is a yes`, async () => {
      const ends: Record<string, number> = {};
      const { verdict = 'valid' } = way;
      for (const { status, changes, removed, error, text, type } of samples(hostile, way.count)) {
        const body: Record<string, unknown> = { ...way.yes(person) };
        for (const change of changes)
          Object.defineProperty(body, change.name, {
            value: change.value,
            enumerable: true,
            configurable: true,
            writable: true,
          });
        for (const member of removed) Reflect.deleteProperty(body, member);
        if (error !== undefined) Object.assign(body, { code: error, message: 'No.' });
        const written = text(JSON.stringify(body));
        const end = await endOf(way, { status, text: written, type });
        ends[end] = (ends[end] ?? 0) + 1;
        if (end === verdict)
          should(isYes(way, status, written)).be.true(`HTTP ${status} ${written.slice(0, 300)}`);
      }
      process.stdout.write(`      ${JSON.stringify(ends)}\n`);
      should(ends[verdict]).be.above(0);
    });
  }

  function isYes(way: Way, status: number, text: string): boolean {
    if (status < 200 || status > 299) return false;
    let body: unknown;
    try {
      // A parser may pass over a byte order mark (RFC 8259, section 8.1).
      body = JSON.parse(text.replace(/^\uFEFF/, ''));
    } catch {
      return false;
    }
    if (Object.prototype.toString.call(body) !== '[object Object]') return false;
    const own = (name: string): unknown => Object.getOwnPropertyDescriptor(body, name)?.value;
    return own('service_sid') === serviceSid && !isErrorNumber(own('code')) && way.isYes(own, person);
  }
});
