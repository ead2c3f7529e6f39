import should from 'should';
import type { Approver } from '../../nodes/lib/approver/approver';
import type { Person } from '../../nodes/lib/contract/people';
import { ownGate } from '../support/approval_gate';
import { ApproverClient, PasskeyPhone } from '../support/approver_client';
import { approverPage } from '../support/approver_process_flow';
import type { Flow } from '../support/flow';
import { LocalAccount } from '../support/local_account';
import { eventually } from '../support/node_red';

describe('The approver, while something is being stored', () => {
  let local: LocalAccount;
  let flow: Flow;
  let authyId: string;
  let phone: PasskeyPhone;

  beforeEach(async () => {
    local = new LocalAccount();
    Object.assign(local.account, { approverUrl: approverPage });
    const [user] = await local.ask('userCreate', {
      email: 'ada@example.com',
      phoneNumber: '+13175550142',
      countryCode: '1',
    });
    authyId = String(user['authyId']);
    await begin();
    phone = new PasskeyPhone(new ApproverClient(flow.url, approverPage));
    await phone.enrol((await approver().invite(authyId)).url);
  });
  afterEach(() => local.stop());

  async function begin(gate: object = {}): Promise<void> {
    flow = await local.startNode(ownGate({ maxOpen: 0, ...gate }), 3);
    const { cookie } = (phone as PasskeyPhone | undefined)?.browser ?? {};
    if (cookie !== undefined) Object.assign(phone, { browser: phone.browser.at(flow.url) });
  }

  function approver(): Approver {
    const found = flow.account('account').approver;
    if (found === undefined) throw new Error('The account has no approver.');
    return found;
  }

  /** Holds up the changes of people that come now, as a slow disk does, until it is told to go on. */
  function slowDisk(): { readonly begun: Promise<void>; readonly goOn: () => void } {
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    let goOn: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => (goOn = resolve));
    const people = approver().host.people();
    const { store } = people as unknown as { store: { replace(...args: unknown[]): Promise<string> } };
    const replace = store.replace.bind(store);
    store.replace = async (...args) => {
      begin();
      await waiting;
      return replace(...args);
    };
    const letGoOn = (): void => {
      store.replace = replace;
      goOn();
    };
    return { begun, goOn: letGoOn };
  }

  const stored = (): Promise<Person | undefined> => approver().host.people().find(authyId);

  it('a request that is being stored when a deploy begins is asked, and the flow is told after the deploy', async () => {
    const { begun, goOn } = slowDisk();
    const { host } = approver();
    const given = flow.give({ authyId });
    // It is checked that somebody would be told, and then stored.
    await begun;
    const deploying = flow.redeployAll();
    await eventually('the notifications node to be gone', () => (host.isHeard() ? undefined : true));
    goOn();
    await deploying;
    const [request] = await eventually('the request to be there', async () => {
      const shown = await phone.browser.requests();
      return shown.length > 0 ? shown : undefined;
    });
    should((await phone.approve(request?.id ?? '')).status).equal(200);
    const { sent, caught } = await flow.ending(given);
    should(caught.map(({ error }) => error?.message)).eql([]);
    should(sent.map(({ output }) => output)).eql([0]);
  });

  it('an answer that is given in time counts, although it is only safe after the end', async () => {
    await begin({ timeout: '4' });
    const given = flow.give({ authyId });
    const [request] = await eventually('the request to be there', async () => {
      const shown = await phone.browser.requests();
      return shown.length > 0 ? shown : undefined;
    });
    const { goOn } = slowDisk();
    const answering = phone.approve(request?.id ?? '');
    await new Promise((resolve) => setTimeout(resolve, 4500));
    goOn();
    should((await answering).status).equal(200);
    const { sent } = await flow.ending(given);
    should(sent.map(({ output, message }) => [output, message.payload])).match([
      [0, { decision: 'approved' }],
    ]);
    // What a flow does with what it gets changes nothing here.
    const authy = sent[0]?.message['authy'] as { response: { answer: { proof: { text: string } } } };
    const { proof } = authy.response.answer;
    const { text } = proof;
    proof.text = 'something else';
    should((await stored())?.requests).match([{ answer: { decision: 'approved', proof: { text } } }]);
  });
});
