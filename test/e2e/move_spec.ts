import { Secret, TOTP } from 'otpauth';
import should from 'should';
import { example, nodeOf, recorded, recordKey, tabOf } from '../support/example_flows';
import { type FlowNode, NodeRed, runtimes } from '../support/node_red';
import { Phone } from '../support/phone';

const name = 'Move users from Authy to Verify';

/** The same flow with a shorter pause, which also records what leaves its nodes. */
const flows = recorded(
  example(name).map((node) => (node.type === 'delay' ? { ...node, timeout: '1' } : node)),
);
const tab = tabOf(flows);
const authy = nodeOf(flows, 'authy-config', 'Authy: from here').id;
const verify = nodeOf(flows, 'authy-config', 'Twilio Verify: to there').id;

/** What a flow of one's own does afterwards: it asks Twilio Verify about a token. */
function checking(): FlowNode[] {
  const place = { z: tab, x: 100, y: 700 };
  const rules = ['authyId', 'token'].map((p) => ({ t: 'set', p, pt: 'msg', to: `payload.${p}`, tot: 'msg' }));
  const checked = { ...place, id: 'checked', type: 'http response', wires: [] };
  return [
    { ...place, id: 'check', type: 'http in', url: '/check', method: 'post', wires: [['read']] },
    { ...place, id: 'read', type: 'change', rules, wires: [['verify']] },
    {
      ...{ ...place, id: 'verify', type: 'authy-token-verify', account: verify },
      ...{ authyId: 'authyId', authyIdType: 'msg', token: 'token', tokenType: 'msg' },
      wires: [['checked'], ['checked']],
    },
    checked,
  ];
}

interface Listed {
  readonly authyId: string;
  readonly email: string;
}

interface Move {
  readonly total: number;
  readonly moved: { readonly authyId: string; readonly authenticator: string | null }[];
  readonly failed: { readonly authyId: string; readonly code: string; readonly why: string }[];
}

for (const runtime of runtimes) {
  describe(`moving users from Authy to Twilio Verify in Node-RED ${runtime.version}x`, function () {
    this.timeout(60_000);
    let nodeRed: NodeRed;
    let users: readonly Listed[];

    before(async function () {
      // The first time, all of Node-RED 5 is downloaded.
      this.timeout(600_000);
      nodeRed = await NodeRed.start(this, runtime, {});
      await nodeRed.deploy([...flows, ...checking()]);
      await press('make users at Authy');
      users = (await nodeRed.flowContext(tab, 'users')) as Listed[];
    });

    after(async () => {
      // Undefined where it was skipped.
      await (nodeRed as NodeRed | undefined)?.stop();
    });

    const press = (inject: string): Promise<void> => nodeRed.inject(nodeOf(flows, 'inject', inject).id);

    /** Moves all of the list. @returns the report */
    async function move(): Promise<Move> {
      await nodeRed.request(`context/flow/${tab}/move`, { method: 'DELETE' });
      await press('move them');
      return (await nodeRed.flowContext(tab, 'move')) as Move;
    }

    async function check(authyId: string, token: string): Promise<{ valid: boolean; reason: string | null }> {
      const response = await fetch(`${nodeRed.nodeUrl}check`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ authyId, token }),
      });
      response.status.should.equal(200);
      return (await response.json()) as { valid: boolean; reason: string | null };
    }

    /** The authenticator app of a user, who has scanned the QR code at Authy. */
    async function appOf(authyId: string): Promise<TOTP> {
      const { authenticator } = (await nodeRed.get(`authy-simulator/${authy}/users/${authyId}`)) as {
        authenticator: { secret: string };
      };
      return new TOTP({ secret: Secret.fromBase32(authenticator.secret) });
    }

    /** What Twilio knows of authenticators, without their codes of the moment. */
    async function factors(): Promise<object[]> {
      const { factors } = (await nodeRed.get(`authy-simulator/${verify}/factors`)) as {
        factors: { sid: string; identity: string; verified: boolean; authenticator: { secret: string } }[];
      };
      return factors.map(({ sid, identity, verified, authenticator: { secret } }) => ({
        ...{ sid, identity, verified, secret },
      }));
    }

    it('while Twilio has not switched the export on, nobody comes over, and the report says what to do', async () => {
      const phone = new Phone(nodeRed, authy);
      await phone.faults({ kind: 'status', status: 400, code: '60154', path: '/phone_number' });
      const { moved, failed } = await move();
      await phone.faults();
      should(moved).eql([]);
      should(failed.map(({ authyId, code }) => ({ authyId, code }))).eql(
        users.map(({ authyId }) => ({ authyId, code: 'AUTHY_NOT_ALLOWED' })),
      );
      for (const { why } of failed) why.should.startWith("Ask Twilio's support to switch on the export");
      should(await factors()).eql([]);
    });

    it('they keep their IDs, their authenticators are confirmed, and one who fails stops nobody', async () => {
      const { total, moved, failed } = await move();
      const [ada, ben, cleo, nobody] = users.map(({ authyId }) => authyId);
      should(total).equal(4);
      should(moved).eql([
        { authyId: ada, authenticator: 'confirmed' },
        { authyId: ben, authenticator: null },
        { authyId: cleo, authenticator: 'confirmed' },
      ]);
      should(failed).match([
        { authyId: nobody, code: 'AUTHY_USER_NOT_FOUND', why: /^Create the user first/ },
      ]);
      const secrets = await Promise.all(
        [ada, cleo].map(async (id) => (await appOf(String(id))).secret.base32),
      );
      should(await factors()).match(secrets.map((secret) => ({ verified: true, secret })));
      for (const secret of secrets) {
        nodeRed.log.should.not.containEql(secret);
        JSON.stringify([moved, failed]).should.not.containEql(secret);
      }
    });

    it('the next code of the same authenticator counts on Twilio Verify, and the one that confirmed it does not', async () => {
      const { token } = (await nodeRed.flowContext(tab, recordKey(nodeOf(flows, 'authy-user-export')))) as {
        token: string;
      };
      const [ada = '', , cleo = ''] = users.map(({ authyId }) => authyId);
      should(await check(cleo, token)).match({ valid: false });
      for (const authyId of [ada, cleo]) {
        const next = (await appOf(authyId)).generate({ timestamp: Date.now() + 30_000 });
        should(await check(authyId, next)).match({ valid: true, reason: null });
        should(await check(authyId, next)).match({ valid: false, reason: 'reused' });
      }
    });

    it('a second time changes nothing, and makes no second authenticator', async () => {
      const before = await factors();
      const { moved, failed } = await move();
      should(moved.map(({ authenticator }) => authenticator)).eql(['confirmed', null, 'confirmed']);
      should(failed).have.length(1);
      should(await factors()).eql(before);
    });

    it('a code by SMS goes out from Twilio Verify to the number that Authy knew, and counts', async () => {
      await press('a code to the first one');
      const phone = new Phone(nodeRed, verify);
      // What was sent counts from then on.
      await nodeRed.flowContext(tab, recordKey(nodeOf(flows, 'authy-token-sms')));
      const [sent] = await phone.messages();
      should(sent?.to).equal('+13175550231');
      should(await check(users[0]?.authyId ?? '', sent?.code ?? '')).match({ valid: true });
    });
  });
}
