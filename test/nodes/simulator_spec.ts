import should from 'should';
import { Flow, type FlowNode } from '../support/flow';
import { eventually } from '../support/node_red';

const account: FlowNode = {
  id: 'account',
  type: 'authy-config',
  service: 'simulator',
  deadline: 5,
  maxInFlight: 10,
};

const callback: FlowNode = {
  id: 'node',
  type: 'authy-onetouch-callback',
  account: 'account',
  publicUrl: '',
  publicUrlType: 'str',
  trustForwarded: false,
  strict: true,
  freshness: 'enforce',
  freshnessWindow: 300,
  maxSize: 64,
};

/** Two nodes that create a user and ask for an approval, and a helper node behind each. */
const asking: FlowNode[] = [
  {
    id: 'create',
    type: 'authy-user-create',
    account: 'account',
    z: 'tab',
    email: 'ada@example.com',
    emailType: 'str',
    phoneNumber: '+13175550142',
    phoneNumberType: 'str',
    sendInstallLink: 'false',
    sendInstallLinkType: 'bool',
    wires: [['created']],
  },
  { id: 'created', type: 'helper', z: 'tab', wires: [] },
  {
    id: 'send',
    type: 'authy-onetouch-send',
    account: 'account',
    z: 'tab',
    authyId: 'topic',
    authyIdType: 'msg',
    message: 'Open the garage?',
    messageType: 'str',
    wires: [['asked']],
  },
  { id: 'asked', type: 'helper', z: 'tab', wires: [] },
];

describe("An account's simulator", () => {
  let flow: Flow;
  afterEach(() => flow.stop());

  /** Asks the control interface beside the editor, as its page does. */
  async function control(method: 'get' | 'put' | 'post', path: string, body: object = {}) {
    const request = flow.request()[method](`/authy-simulator/account${path}`);
    const response = await (method === 'get' ? request : request.send(body)).expect(200);
    return response.body as Record<string, unknown>;
  }

  for (const [form, method] of [
    ['2017', 'POST'],
    ['2017', 'GET'],
    ['2019', 'POST'],
    ['2019', 'GET'],
  ] as const) {
    it(`sends callbacks of ${form} by ${method}, which the callback node verifies`, async () => {
      const http = { type: 'http in', url: '/authy/callback', z: 'tab', wires: [['node']] };
      flow = await Flow.start(callback, 3, [
        account,
        { ...http, id: 'get', method: 'get' },
        { ...http, id: 'post', method: 'post' },
        { id: 'respond', type: 'http response', z: 'tab', wires: [] },
        ...asking,
      ]);
      flow.wire('respond');
      await eventually('the simulator to be loaded', async () => {
        const { status } = await flow.request().get('/authy-simulator/account/state');
        return status === 200 || undefined;
      });
      await control('post', '/reset');
      await control('put', '/settings', {
        callbackUrl: `${flow.url}/authy/callback`,
        callbackMethod: method,
        callbackForm: form,
      });
      await flow.sendThrough('create', 'created', {});
      const { users } = (await control('get', '/users')) as { users: { authyId: number }[] };
      await flow.sendThrough('send', 'asked', { topic: String(users[0]?.authyId) });
      const { approvals } = (await control('get', '/approvals')) as { approvals: { uuid: string }[] };
      const answered = await control('post', `/approvals/${approvals[0]?.uuid ?? ''}`, { answer: 'approve' });
      should(answered['callback']).have.property('status', 200);
      const { sent } = await flow.endingNumber(0);
      should(sent).match([{ output: 0, message: { payload: { status: 'approved' } } }]);
      const { device } = sent[0]?.message.payload as { device: object };
      should('enabled_unlock_methods' in device).equal(form === '2019');
    });
  }
});
