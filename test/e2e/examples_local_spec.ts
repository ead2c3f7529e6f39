import type { Browser } from 'playwright-core';
import should from 'should';
import { ApproverPage } from '../support/approver_page';
import { startBrowser } from '../support/editor';
import { email, playExample, type Played } from '../support/example_player';
import { MailServer } from '../support/mail_server';
import { eventually, type FlowNode, NodeRed, runtimes } from '../support/node_red';
import { ScriptedServer } from '../support/scripted_server';

type Change = (node: FlowNode) => FlowNode;

/** What an example's flow has for its own variables, some of them as secrets. */
function withVariables(
  variables: Readonly<Record<string, string>>,
  secrets: Readonly<Record<string, string>> = {},
): Change {
  return (node) => {
    if (node.type !== 'tab') return node;
    const env = node['env'] as { name: string; value: string; type: string }[];
    should([...Object.keys(variables), ...Object.keys(secrets)]).match((names: string[]) =>
      names.every((name) => env.some((one) => one.name === name)),
    );
    return {
      ...node,
      env: env.map((one) => ({ ...one, value: variables[one.name] ?? one.value })),
      credentials: secrets,
    };
  };
}

/** A gate that gives people a second. */
const impatient: Change = (node) =>
  node.type === 'authy-onetouch-approval' ? { ...node, timeout: '1' } : node;

for (const [index, runtime] of runtimes.entries())
  describe(`the examples on this Node-RED's own page, in Node-RED ${runtime.version}x`, function () {
    this.timeout(90_000);
    let nodeRed: NodeRed;
    let browser: Browser;
    let mails: MailServer;
    /** Where messages go instead of to ntfy and Telegram. */
    let service: ScriptedServer;
    const open: ApproverPage[] = [];

    before(async function () {
      this.timeout(600_000);
      browser = await startBrowser(this);
      mails = await MailServer.start(this);
      service = await new ScriptedServer().start();
      nodeRed = await NodeRed.start(this, runtime, {
        packages: [email],
        // Addresses in examples must not depend on the roots.
        settings: index === 0 ? {} : { httpAdminRoot: '/admin', httpNodeRoot: '/api' },
      });
    });
    after(async () => {
      await (browser as Browser | undefined)?.close();
      (mails as MailServer | undefined)?.stop();
      await (service as ScriptedServer | undefined)?.stop();
      await (nodeRed as NodeRed | undefined)?.stop();
    });
    afterEach(async () => {
      const complaints = open.flatMap((phone) => phone.complaints);
      await Promise.all(open.splice(0).map((phone) => phone.close()));
      should(complaints).eql([]);
    });

    /** Deploys an example; Ada may be asked again at once. */
    const play = (name: string, change: Change = (node) => node): Promise<Played> =>
      playExample(nodeRed, name, (node) =>
        change(node.type === 'authy-onetouch-approval' ? { ...node, coolDown: 0 } : node),
      );

    async function page(route: string): Promise<string> {
      const response = await fetch(nodeRed.nodeUrl + route);
      should(response.status).equal(200);
      return response.text();
    }

    /** Adds Ada's phone as the example says: by its button and its page. */
    async function adaOn({ press, context }: Played, route: string): Promise<ApproverPage> {
      const phone = await ApproverPage.of(browser);
      open.push(phone);
      await phone.page.goto(nodeRed.nodeUrl + route);
      await phone.page.getByText('There is no invitation').waitFor();
      await press('invite Ada');
      await context('invitation');
      await phone.page.reload();
      const link = phone.page.getByRole('link', { name: 'Answer for Ada on this computer' });
      await phone.enrol((await link.getAttribute('href')) ?? '', 'Ada’s phone');
      return phone;
    }

    /** What leaves the gate next by an output. */
    const decided = ({ left }: Played, output: number): Promise<object> =>
      left('authy-onetouch-approval', output);

    describe('the garage door', () => {
      const name = 'Garage door without a vendor';

      interface State {
        readonly door?: string;
        readonly step?: string;
        readonly note?: string;
        readonly link?: string;
      }

      async function stateIs(expected: State): Promise<State> {
        return eventually(`the state to be ${JSON.stringify(expected)}`, async () => {
          const state = JSON.parse(await page('gate/state')) as State;
          const keys = Object.keys(expected) as (keyof State)[];
          return keys.every((key) => state[key] === expected[key]) ? state : undefined;
        });
      }

      async function pressOpen(): Promise<void> {
        should((await fetch(`${nodeRed.nodeUrl}gate/open`, { method: 'POST' })).status).equal(202);
      }

      it('opens for Ada’s passkey, closes by itself, and stays closed when she denies or is silent', async () => {
        // The page asks every second, and has to see it open.
        const played = await play(name, (node) =>
          node.type === 'trigger' ? { ...node, duration: '8' } : node,
        );
        await pressOpen();
        const { note } = await stateIs({ step: 'error', door: 'closed' });
        should(note).match(/phone/);
        const phone = await adaOn(played, 'gate/invite');

        // In a window of its own: passkeys work in the tab in front.
        const door = await browser.newPage();
        await door.goto(`${nodeRed.nodeUrl}gate`);
        const button = door.getByRole('button', { name: 'Open the garage' });
        await button.click();
        const link = door.getByRole('link', { name: 'Answer as Ada' });
        await link.waitFor();
        await phone.page.goto((await link.getAttribute('href')) ?? '');
        await phone.approve('Open the garage?');
        await door.getByText('Ada said yes.').waitFor();
        await door.getByText('It closed again by itself.').waitFor();
        should(await decided(played, 0)).match({ decision: 'approved', device: { grade: 'passkey' } });

        await button.click();
        await phone.deny('Open the garage?');
        await door.getByText('Denied: Ada said no.').waitFor();
        should(await link.isHidden()).be.true();
        await stateIs({ door: 'closed', step: 'denied' });
        await door.close();

        await play(name, impatient);
        await pressOpen();
        await stateIs({ step: 'expired', door: 'closed' });
      });

      it('says in plain words that Ada was asked a moment ago, until the button is pressed again', async () => {
        // Longer than the test, so that the second press comes within it.
        const played = await playExample(nodeRed, name, (node) =>
          node.type === 'authy-onetouch-approval' ? { ...node, coolDown: 3600 } : node,
        );
        const phone = await adaOn(played, 'gate/invite');
        await pressOpen();
        await stateIs({ step: 'asking' });
        await phone.deny('Open the garage?');
        await stateIs({ step: 'denied' });
        const door = await browser.newPage();
        await door.goto(`${nodeRed.nodeUrl}gate`);
        const said = door.getByText('Ada was asked a moment ago. Try again in a few seconds.', {
          exact: true,
        });
        const asking = door.getByText('Asking Ada’s phone…');
        const button = door.getByRole('button', { name: 'Open the garage' });
        await button.click();
        await said.waitFor();
        await door.route('**/gate/open', () => undefined);
        await button.click();
        await asking.waitFor();
        should(await said.isVisible()).be.false();
        await door.close();
      });

      it('shows the invitation as a QR code where phones reach the page', async () => {
        const { press, context } = await play(name, (node) =>
          node.type === 'authy-config' ? { ...node, approverUrl: 'https://home.example/approve' } : node,
        );
        await press('invite Ada');
        await context('invitation');
        const html = await page('gate/invite');
        should(html).match(/<img src="data:image(?:\/|&#x2F;)svg/);
        should(html).not.containEql('on this computer');
      });
    });

    /** What a debug node would show goes to the context instead, where tests can read it. */
    const debugged =
      (name: string): Change =>
      (node) =>
        node.type === 'debug' && node.name === name
          ? {
              ...{ ...node, type: 'change', wires: [[]] },
              rules: [
                {
                  ...{ t: 'set', p: 'debugged', pt: 'flow' },
                  ...{ to: node['complete'], tot: node['targetType'] },
                },
              ],
            }
          : node;

    /** The body of what was sent last about a request. */
    async function sentAbout(message: string): Promise<{ url: string; body: Record<string, unknown> }> {
      return eventually('the message to be sent', () => {
        const found = service.seen.filter(({ body }) => body.includes(message)).at(-1);
        return found === undefined
          ? undefined
          : { url: found.url, body: JSON.parse(found.body) as Record<string, unknown> };
      });
    }

    /** Asks twice: the link of a message leads to the page, where Ada approves; then she denies. */
    async function answersBy(
      played: Played,
      phone: ApproverPage,
      link: () => Promise<string>,
    ): Promise<void> {
      await played.press('ask to open the garage');
      await phone.page.goto(await link());
      await phone.approve('Open the garage?');
      should(await decided(played, 0)).match({ decision: 'approved', device: { name: 'Ada’s phone' } });
      await played.press('ask to open the garage');
      await phone.deny('Open the garage?');
      should(await decided(played, 1)).match({ decision: 'denied' });
    }

    /** Says why nobody was told: what the service says, or that it cannot be reached. */
    async function saysWhy(played: Played, phone: ApproverPage, refusal: object): Promise<string> {
      const { press, context, left } = played;
      service.script({ status: 403, json: refusal });
      await press('ask to open the garage');
      const shown = String(await context('debugged'));
      await phone.deny('Open the garage?');
      await decided(played, 1);
      service.script('drop');
      await press('ask to open the garage');
      should(await left('catch', 0, 'could not be told')).have.property('message');
      return shown;
    }

    it('told by ntfy: the topic gets title, message and link', async () => {
      service.script({ status: 200, json: { id: 'x' } });
      const variables = { NTFY_SERVER: `http://127.0.0.1:${service.port}`, NTFY_TOPIC: 'garage-7d1f' };
      const change = withVariables(variables);
      const played = await play('Told by ntfy', (node) => debugged('not told')(change(node)));
      const phone = await adaOn(played, 'told/ntfy');
      await answersBy(played, phone, async () => String((await sentAbout('Open the garage?')).body['click']));
      const { url, body } = await sentAbout('Open the garage?');
      should(url).equal('/');
      const click = body['click'];
      should(click).match(/\/approve-ntfy\/#r=/);
      should(body).eql({
        ...{ topic: 'garage-7d1f', title: 'Garage asks for your approval', message: 'Open the garage?' },
        ...{ click, priority: 4 },
      });
      should(await saysWhy(played, phone, { error: 'forbidden' })).match(/^403 .*forbidden/);
    });

    it('told by Telegram: the chat gets the link as text, and the token stays secret', async () => {
      service.script({ status: 200, json: { ok: true } });
      const token = '123456:the-token-of-the-bot';
      const change = withVariables({ TELEGRAM_CHAT_ID: '4711' }, { TELEGRAM_BOT_TOKEN: token });
      const played = await play('Told by Telegram', (node) => {
        const changed = debugged('not told')(change(node));
        if (changed.name !== 'for Telegram') return changed;
        const rules = JSON.stringify(changed['rules']);
        const rewired = rules.replace('https://api.telegram.org', `http://127.0.0.1:${service.port}`);
        return { ...changed, rules: JSON.parse(rewired) as unknown };
      });
      const phone = await adaOn(played, 'told/telegram');
      const lines = async (): Promise<string[]> =>
        String((await sentAbout('Open the garage?')).body['text']).split('\n\n');
      await answersBy(played, phone, async () => (await lines())[2] ?? '');
      const { url, body } = await sentAbout('Open the garage?');
      should(url).equal(`/bot${token}/sendMessage`);
      should(body).match({ chat_id: '4711', link_preview_options: { is_disabled: true } });
      const [title, text, link, ...more] = await lines();
      should([title, text, more]).eql(['Garage asks for your approval', 'Open the garage?', []]);
      should(link).match(/\/approve-telegram\/#r=/);
      should(await saysWhy(played, phone, { description: 'Forbidden' })).match(/^403 .*Forbidden/);
      should(nodeRed.log).not.containEql(token);
    });

    it('told by e-mail: the address of the user gets a plain text with the link', async () => {
      const change: Change = (node) =>
        node.type === 'e-mail'
          ? {
              ...{ ...node, server: '127.0.0.1', port: String(mails.port), secure: false },
              credentials: { userid: 'flow@example.com', password: 'secret' },
            }
          : node;
      const ask: Change = (node) =>
        node.type === 'authy-onetouch-approval' ? { ...node, message: 'Open <b>both</b> doors?' } : node;
      const played = await play('Told by e-mail', (node) => ask(change(node)));
      const phone = await adaOn(played, 'told/e-mail');
      await played.press('ask to open the garage');
      const mail = await eventually('the e-mail', () =>
        mails.received.find(({ subject }) => subject === 'Garage asks for your approval'),
      );
      should([mail.to.text, mail.from.text, mail.html]).eql(['ada@example.com', 'flow@example.com', false]);
      const [, message, link] = /^(.*)\n\n(\S+)\s*$/.exec(mail.text) ?? [];
      should(message).equal('Open ‹b>both‹/b> doors?');
      should(link).match(/\/approve-mail\/#r=/);
      await phone.page.goto(link ?? '');
      await phone.approve('Open <b>both</b> doors?');
      should(await decided(played, 0)).match({ decision: 'approved' });
    });

    describe('the AI agent', () => {
      const name = 'AI agent asks before it acts';
      const secret = 'a secret of the agent';
      const question = { action: 'Delete the branch release-1', reason: 'It was merged.' };

      async function ask(body: unknown, bearer = secret): Promise<[number, Record<string, unknown>]> {
        const response = await fetch(`${nodeRed.nodeUrl}agent/ask`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
          body: JSON.stringify(body),
        });
        return [response.status, (await response.json()) as Record<string, unknown>];
      }

      it('asks nobody without the secret, and nothing that is not a question', async () => {
        await play(name);
        for (const bearer of ['', 'undefined', secret])
          should(await ask(question, bearer)).match([401, { approved: false }]);
        await play(name, withVariables({}, { AGENT_SECRET: 'short' }));
        should(await ask(question, 'short')).match([401, { approved: false }]);
        await play(name, withVariables({}, { AGENT_SECRET: secret }));
        should(await ask(question, 'another secret of the agent')).match([401, { approved: false }]);
        for (const wrong of [
          ...[{}, { action: 'x' }, { ...question, action: ' ' }, { ...question, reason: ['x'] }],
          ...[
            { ...question, action: 'x'.repeat(145) },
            { ...question, reason: 'x'.repeat(201) },
          ],
        ])
          should(await ask(wrong)).match([400, { approved: false }], JSON.stringify(wrong));
        should(await ask(question)).match([502, { approved: false, reason: /phone/ }]);
      });

      it('gets a yes or a no once a person has read what it wants and why, and a no if nobody answers', async () => {
        const change = withVariables({}, { AGENT_SECRET: secret });
        const played = await play(name, change);
        const phone = await adaOn(played, 'agent/invite');
        const approved = [ask(question), ask(question)];
        const shown = phone.request(question.action);
        await shown.waitFor();
        should(await shown.innerText()).containEql(question.reason);
        await phone.approve(question.action);
        for (const answer of approved) should(await answer).match([200, { approved: true }]);
        const denied = ask(question);
        await phone.deny(question.action);
        should(await denied).match([200, { approved: false, reason: /denied/ }]);
        await play(name, (node) => impatient(change(node)));
        should(await ask(question)).match([200, { approved: false, reason: /Nobody/ }]);
      });
    });
  });
