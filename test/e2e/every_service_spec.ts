import fs from 'node:fs';
import path from 'node:path';
import should from 'should';
import { ApproverClient, PasskeyPhone } from '../support/approver_client';
import { example, nodeOf } from '../support/example_flows';
import { lastCode, playExample, type Played, sendForm, wrong } from '../support/example_player';
import { eventually, type FlowNode, NodeRed, runtimes, temporaryDirectory } from '../support/node_red';

/** A person with a phone, on one of the services. */
interface Person {
  code(): Promise<string>;
  answer(answer: 'approved' | 'denied'): Promise<void>;
}

/** What the service in memory brought to the phone, in order. */
class PhoneFile {
  readonly file = path.join(temporaryDirectory(), 'phone');

  newest(via: (via: string) => boolean): Promise<Record<string, string>> {
    return eventually('it to be on the phone', () => {
      if (!fs.existsSync(this.file)) return undefined;
      const lines = fs.readFileSync(this.file, 'utf8').split('\n').slice(0, -1);
      const all = lines.map((line) => JSON.parse(line) as Record<string, string>);
      return all.filter((message) => via(message['via'] ?? '')).at(-1);
    });
  }
}

const phoneFile = new PhoneFile();

/** A service that flows run on. */
interface OnService {
  /** The settings of its account. */
  readonly account: object;
  /** Whether it manages users and checks phone numbers. */
  readonly manages: boolean;
  /** @param phone - what {@link prepare} has made */
  readonly person: (played: Played, phone: PasskeyPhone | undefined) => Person;
  /** Gets the person ready who is asked by the garage's flow, before it runs on an account. */
  readonly prepare?: (nodeRed: NodeRed, account: FlowNode) => Promise<PasskeyPhone>;
  /** What belongs to a flow on it, beside the account. */
  readonly nodes?: (account: string, tab: string) => FlowNode[];
  /** What a number says of its line. */
  readonly lineType?: string | null;
}

/** The code that came to the simulated phone last. */
async function newestCode({ phone }: Played): Promise<string> {
  const sent = await eventually('the code', async () => (await phone.messages()).at(-1));
  return lastCode(phone, sent.via);
}

/** Somebody with the simulated phone. */
const onThePhone: OnService['person'] = (played) => ({
  code: () => newestCode(played),
  answer: async (answer) =>
    played.phone.answer((await played.pending()).uuid, answer === 'approved' ? 'approve' : 'deny'),
});

const garage = 'Garage door with approval';

/** Invites the person whom the garage's flow asks, and adds their phone on the page of the account. */
async function invited(nodeRed: NodeRed, account: FlowNode): Promise<PasskeyPhone> {
  const { press, left } = await playExample(nodeRed, 'Garage door without a vendor', (node) => {
    if (node.type === 'authy-config') return account;
    return 'account' in node ? { ...node, account: account.id } : node;
  });
  await press('invite Ada');
  const { url } = (await left('authy-user-invite')) as { url: string };
  const [page = ''] = url.split('/#');
  const phone = new PasskeyPhone(new ApproverClient(new URL(nodeRed.nodeUrl).origin, page));
  await phone.enrol(url);
  return phone;
}

/** Every service that the same flow runs on: the settings of its account, and its person. */
const services: Readonly<Record<string, OnService>> = {
  'Authy, simulated': {
    account: { service: 'authy', simulated: true },
    manages: true,
    person: onThePhone,
  },
  'Twilio Verify, simulated': {
    account: { service: 'verify', simulated: true },
    manages: true,
    person: onThePhone,
  },
  'this Node-RED': {
    account: { service: 'local', simulated: false },
    manages: true,
    // Mobile phones in North America have numbers like all others.
    lineType: null,
    nodes: (account, z) => [
      { id: 'notifications', type: 'authy-notifications', z, account, x: 10, y: 10, wires: [['told']] },
      {
        id: 'told',
        type: 'change',
        z,
        x: 10,
        y: 10,
        wires: [[]],
        rules: [{ t: 'set', p: 'told', pt: 'flow', to: 'payload.text', tot: 'msg' }],
      },
    ],
    person: ({ context }, phone) => ({
      code: async () => /\b[0-9]{4,10}\b/.exec(String(await context('told')))?.[0] ?? '',
      async answer(answer) {
        if (phone === undefined) throw new Error('Nobody was invited.');
        const { id } = await eventually(
          'it to be on the page',
          async () => (await phone.browser.requests())[0],
        );
        const { status } =
          answer === 'approved'
            ? await phone.approve(id)
            : await phone.browser.call('deny', { id, notMe: false });
        should(status).equal(200);
      },
    }),
    prepare: invited,
  },
  'a service in memory': {
    account: { service: 'memory', simulated: false },
    manages: false,
    person: () => ({
      code: async () => (await phoneFile.newest((via) => via !== 'approval'))['code'] ?? '',
      async answer(answer) {
        const { approvalId = '' } = await phoneFile.newest((via) => via === 'approval');
        fs.writeFileSync(`${phoneFile.file}.${approvalId}`, answer);
      },
    }),
  },
};

/** The names and types of what a payload holds; a null says nothing about the type. */
function shapeOf(payload: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(payload).map(([name, value]) => [name, value === null ? 'null' : typeof value]),
  );
}

for (const runtime of runtimes)
  describe(`the same flows on every service in Node-RED ${runtime.version}x`, function () {
    this.timeout(60_000);
    let nodeRed: NodeRed;
    /** By service and output: the shapes of the payloads that left there, in order. */
    const shapes = new Map<string, Record<string, Record<string, string>[]>>();

    before(async function () {
      this.timeout(600_000);
      nodeRed = await NodeRed.start(this, runtime, {
        env: {
          NODE_OPTIONS: `--require ${path.join(__dirname, '../support/memory_service_probe.cjs')}`,
          MEMORY_SERVICE: phoneFile.file,
        },
      });
    });
    after(() => (nodeRed as NodeRed | undefined)?.stop());

    for (const [service, on] of Object.entries(services)) {
      const { account, manages, nodes = () => [], lineType = 'cellphone' } = on;
      describe(service, () => {
        let phone: PasskeyPhone | undefined;
        const person = (played: Played): Person => on.person(played, phone);

        before(async () => {
          phone = await on.prepare?.(nodeRed, { ...nodeOf(example(garage), 'authy-config'), ...account });
        });

        async function play(name: string): Promise<Played> {
          fs.rmSync(phoneFile.file, { force: true });
          const change = (node: FlowNode): FlowNode => {
            if (node.type === 'authy-config') return { ...node, ...account };
            // Its button is pressed: by itself it could come when everything is over already.
            if (node.type === 'inject') return { ...node, once: false };
            // The door stays open for as long as it is looked at.
            return node.type === 'trigger' ? { ...node, duration: '1', units: 'hr' } : node;
          };
          return playExample(nodeRed, name, change, nodes);
        }

        /** What left a node by an output, kept for the comparison. */
        async function left(played: Played, type: string, output = 0): Promise<object> {
          const payload = await played.left(type, output);
          const known = shapes.get(service) ?? {};
          shapes.set(service, known);
          (known[`${type} ${output}`] ??= []).push(shapeOf(payload));
          return payload;
        }

        for (const [answer, output, door] of [
          ['approved', 0, 'open'],
          ['denied', 1, 'closed'],
        ] as const) {
          it(`the garage door: ${answer}`, async () => {
            const played = await play(garage);
            await played.press('at the start');
            await played.press('press it');
            const { authyId } = (await left(played, 'authy-user-create')) as { authyId: string };
            await left(played, 'authy-onetouch-approval', 3);
            await person(played).answer(answer);
            const decided = await left(played, 'authy-onetouch-approval', output);
            should(decided).match({ decision: answer, reason: null, authyId });
            should(await played.context('step')).equal(answer);
            should(await played.context('door')).equal(door);
          });
        }

        if (manages) {
          it('a user is created, read, changed, gets a QR code, and is deleted', async () => {
            const played = await play('Manage users');
            await played.press('create the user');
            const { authyId } = (await left(played, 'authy-user-create')) as { authyId: string };
            await played.press('what is known of the user');
            should(await left(played, 'authy-user-status')).match({ authyId });
            await played.press('change the e-mail address');
            should(await left(played, 'authy-user-update')).eql({ authyId, email: 'ada@example.org' });
            await played.press('QR code for an app');
            const { qrCode } = (await left(played, 'authy-user-qr')) as { qrCode: string };
            // The image itself, which any page on any machine can show.
            qrCode.should.startWith('data:image/svg+xml;');
            await played.press('delete the user');
            should(await left(played, 'authy-user-delete')).eql({ authyId, deleted: true });
            await played.press('what is known of the user');
            should(await played.left('catch')).match({ code: 'AUTHY_USER_NOT_FOUND' });
          });

          it('a phone number is looked up and checked', async () => {
            const played = await play('Sign up with phone verification');
            const url = `${nodeRed.nodeUrl}authy/sign-up`;
            const who = { email: 'ada@example.com', phoneNumber: '+13175550124' };
            should(await sendForm(url, who)).eql([200, 'One more step']);
            should(await left(played, 'authy-phone-info')).match({ type: lineType });
            should(await left(played, 'authy-phone-start')).match({ via: 'sms' });
            await played.press('look at the last one');
            should(await left(played, 'authy-phone-status')).match({ status: 'pending' });
            const code = await person(played).code();
            should(await sendForm(url, { ...who, code: wrong(code) })).eql([200, 'Not right']);
            should(await left(played, 'authy-phone-check', 1)).match({ valid: false, reason: 'wrong' });
            should(await sendForm(url, { ...who, code })).eql([200, 'Welcome']);
            should(await left(played, 'authy-phone-check', 0)).match({ valid: true });
            await left(played, 'authy-user-create');
            await played.press('look at the last one');
            should(await left(played, 'authy-phone-status')).match({ status: 'verified' });
          });
        }

        for (const [button, type] of [
          ['by text message', 'authy-token-sms'],
          ['by phone call', 'authy-token-call'],
          ['by e-mail', 'authy-token-email'],
        ] as const) {
          it(`a code ${button}: the wrong one is refused, and the right one is taken`, async () => {
            const played = await play('Code by SMS and verify');
            const url = `${nodeRed.nodeUrl}authy/code`;
            await played.press(button);
            should(await left(played, type)).match({ sent: true });
            const code = await person(played).code();
            const [, refused] = await sendForm(url, { code: wrong(code) });
            should(await left(played, 'authy-token-verify', 1)).match({ valid: false, reason: 'wrong' });
            const [, taken] = await sendForm(url, { code });
            should(await left(played, 'authy-token-verify', 0)).match({ valid: true, reason: null });
            should([refused, taken]).eql(['Not right', 'Welcome']);
          });
        }
      });
    }

    describe('all of them', () => {
      it('hands on the same', () => {
        const [first = {}, ...others] = shapes.values();
        should(others).have.length(Object.keys(services).length - 1);
        for (const found of others) {
          should(found).not.be.empty();
          for (const [output, payloads] of Object.entries(found)) {
            for (const shape of payloads) {
              const [expected = {}] = first[output] ?? [];
              should(Object.keys(shape).sort()).eql(Object.keys(expected).sort(), output);
              const differing = Object.entries(shape).filter(
                ([name, type]) => ![type, expected[name]].includes('null') && type !== expected[name],
              );
              should(differing).eql([], output);
            }
          }
        }
      });
    });
  });
