import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import should from 'should';
import { application, below } from '../../nodes/lib/server/router';
import { eventually } from '../support/node_red';
import { Receiver } from './receiver';
import { VerifyHarness } from './verify_harness';

const executablePath = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (place) => place !== undefined && fs.existsSync(place),
);

type AxeWindow = {
  axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
};

describe('simulator: the phone page', function () {
  this.timeout(30_000);

  const harness = new VerifyHarness({ now: Date.now });
  const receiver = new Receiver();
  const complaints: string[] = [];
  let browser: Browser | undefined;
  let page: Page;
  let id: number;

  before(async function () {
    if (executablePath === undefined) {
      const why = 'no browser was found; name one by the environment variable CHROMIUM.';
      if (process.env['CI']) throw new Error(why);
      process.stderr.write(`  Skipped: ${why}\n`);
      this.skip();
    }
    await Promise.all([harness.start(), receiver.start()]);
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  });
  after(async () => {
    await browser?.close();
    await harness.stop();
    if (browser !== undefined) await receiver.stop();
  });

  beforeEach(async () => {
    receiver.status = 200;
    await harness.control('POST', '/reset');
    await harness.control('PUT', '/settings', { callbackUrl: receiver.url });
    id = await harness.createUser();
    page = await (browser as Browser).newPage({
      locale: 'en-US',
      // Cards that are still moving into their place cannot be measured.
      reducedMotion: 'reduce',
      viewport: { width: 390, height: 844 },
    });
    page.setDefaultTimeout(10_000);
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${harness.url}/`);
    await page.locator('.user').waitFor();
  });
  afterEach(async () => {
    await page.close();
    complaints.splice(0).should.deepEqual([], 'what the browser complained of');
  });

  const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.textContent ?? '');

  /** Presses the tab key until an element with this text has the focus. */
  async function tabTo(text: string): Promise<void> {
    for (let presses = 0; presses < 30; presses++) {
      if ((await focused()) === text) return;
      await page.keyboard.press('Tab');
    }
    throw new Error(`${text} cannot be reached by the tab key.`);
  }

  for (const [button, status, keyName] of [
    ['Approve', 'Approved', 'Enter'],
    ['Deny', 'Denied', 'Space'],
  ] as const) {
    it(`${button} works by keyboard, and shows the result`, async () => {
      const logo = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==';
      const uuid = await harness.createApproval(id, {
        message: '<b>Open</b> the garage?',
        details: { Where: '<i>Home</i>' },
        logos: [{ res: 'default', url: logo }],
      });
      await page.getByRole('heading', { name: '<b>Open</b> the garage?' }).waitFor();
      await page.getByText('<i>Home</i>', { exact: true }).waitFor();
      await page.locator('img.logo').waitFor();
      await tabTo(button);
      await page.keyboard.press(keyName);
      await page.getByText('The answer was delivered to').waitFor();
      (await page.locator('.approval .result').innerText()).should.equal(status);
      (await page.getByRole('button', { name: button, exact: true }).count()).should.equal(0);
      // The button is gone, and the focus has moved to the result.
      (await focused()).should.equal(status);
      (await harness.approval(uuid)).status.should.equal(status.toLowerCase());
    });
  }

  it('has its buttons where people have them on their own page, and answering moves nothing below', async () => {
    await harness.createApproval(id, { message: 'Below?' });
    await harness.createApproval(id, { message: 'Above?', details: { Where: 'Home' } });
    const above = page.locator('.approval', { hasText: 'Above?' });
    const below = page.locator('.approval', { hasText: 'Below?' });
    await above.waitFor();
    should(await above.getByRole('button').allInnerTexts()).eql(['Deny', 'Approve']);
    const boxOf = (name: string) => above.getByRole('button', { name, exact: true }).boundingBox();
    const [deny, approve] = [await boxOf('Deny'), await boxOf('Approve')];
    should(deny?.x).be.below(approve?.x ?? NaN);
    const before = (await below.boundingBox())?.y;
    await above.getByRole('button', { name: 'Approve', exact: true }).click();
    await above.getByText('The answer was delivered to').waitFor();
    // Within a pixel: what is smaller nobody sees.
    should((await below.boundingBox())?.y).be.approximately(before ?? NaN, 1);
    // Once nothing can be pressed by accident, the cards take no more room than they need.
    const held = await above.boundingBox();
    await below.getByRole('button', { name: 'Deny', exact: true }).click();
    await below.getByText('The answer was delivered to').waitFor();
    should((await above.boundingBox())?.height).be.below((held?.height ?? 0) - 10);
  });

  describe('a callback', () => {
    /** Approves a new request. @returns what its card says of the callback, and whether as something to be mended */
    async function approvedWith(callbackUrl: string | null, status = 200): Promise<[string, boolean]> {
      receiver.status = status;
      await harness.control('PUT', '/settings', { callbackUrl });
      const uuid = await harness.createApproval(id, { message: 'Open it?' });
      const card = page.locator('.approval', { has: page.locator(`[id="approval-${uuid}"]`) });
      await card.getByRole('button', { name: 'Approve', exact: true }).click();
      await card.getByText('Approved', { exact: true }).waitFor();
      const line = card.locator('.callback');
      return [
        (await line.textContent()) ?? '',
        await line.evaluate(({ classList }) => classList.contains('trouble')),
      ];
    }

    it('that nobody wants is not spoken of, and one that nobody hears is in order', async () => {
      should(await approvedWith(null)).eql(['', false]);
      (await page.locator('.callback').isVisible()).should.be.false();
      const unheard = (url: string): [string, boolean] => [
        `The answer is in. Nothing listens at ${url}, which the approval gate does not need.`,
        false,
      ];
      should(await approvedWith(receiver.url, 404)).eql(unheard(receiver.url));
      const closed = await new Receiver().start();
      const { url } = closed;
      await closed.stop();
      should(await approvedWith(url)).eql(unheard(url));
      should(await approvedWith(receiver.url, 204)).eql([
        `The answer was delivered to ${receiver.url}.`,
        false,
      ]);
    });

    it('that is refused or fails stands out, and says where to look', async () => {
      for (const [status, said] of [
        [
          403,
          /^Callback refused: 403\. What listens at http:\S+ did not trust it; the output “rejected” of its/,
        ],
        [401, /^Callback refused: 401\. The address asks for a password/],
        [500, /^Callback failed: what listens at http:\S+ answered 500\. Its log/],
        [405, /^Callback refused: 405$/],
      ] as const) {
        should(await approvedWith(receiver.url, status)).match([said, true]);
      }
      should(await approvedWith('http://authy.invalid/')).match([/^Callback failed: /, true]);
    });
  });

  it('counts down to the expiry of a request, and shows requests that never expire', async () => {
    await harness.createApproval(id, { message: 'Quick', seconds_to_expire: 8 });
    await harness.createApproval(id, { message: 'Patient', seconds_to_expire: 0 });
    await page.getByText('Never expires').waitFor();
    const countdown = page.getByText(/^Expires in 00:0\d$/);
    const first = await countdown.innerText();
    await page.waitForFunction(
      (text) => ![...document.querySelectorAll('.countdown')].some(({ textContent }) => textContent === text),
      first,
    );
    await page.getByText('Expired without an answer').waitFor();
    (await page.getByRole('button', { name: 'Approve', exact: true }).count()).should.equal(1);
  });

  it('shows new messages without moving the focus, or what has it', async () => {
    for (let count = 0; count < 12; count++) await harness.api('GET', `/protected/json/sms/${id}`);
    await harness.createApproval(id);
    await page.getByText('Earlier (7)').waitFor();
    const approval = page.locator('.approval');
    await approval.waitFor();
    await tabTo('Deny');
    const before = await approval.boundingBox();
    await harness.api('GET', `/protected/json/call/${id}`);
    const code = await harness.code('call');
    await page.locator('.message .code', { hasText: code }).waitFor();
    (await page.locator('.message').first().innerText()).should.containEql(code);
    const after = await approval.boundingBox();
    // A page is scrolled by whole pixels.
    Math.abs((after?.y ?? NaN) - (before?.y ?? NaN)).should.be.below(1);
    (await page.evaluate(() => scrollY)).should.be.above(0);
    (await focused()).should.equal('Deny');
    await page.locator('[role=status]', { hasText: code }).waitFor();
  });

  it('shows what came last on top, and folds what is over', async () => {
    const shown = (): Promise<string[]> => page.locator('#stream h3, #stream .text').allInnerTexts();
    await harness.createApproval(id, { message: 'First?' });
    await harness.api('GET', `/protected/json/sms/${id}`);
    await harness.createApproval(id, { message: 'Last?' });
    await page.getByRole('heading', { name: 'Last?' }).waitFor();
    (await shown()).should.match([/^Last\?$/, /Your token is/, /^First\?$/]);
    await page.getByText('Garage asks Ada (+13175550142)').first().waitFor();

    for (let count = 0; count < 5; count++) await harness.api('GET', `/protected/json/call/${id}`);
    await page.getByText('Earlier (1)').waitFor();
    // What waits is never folded, and what was just answered stays where it is.
    (await shown()).should.have.length(7);
    await page.getByRole('button', { name: 'Approve', exact: true }).last().click();
    await page.locator('#stream').getByText('Approved', { exact: true }).waitFor();
    await page.getByText('Earlier (2)').click();
    await page.locator('#old').getByText('Your token is').first().waitFor();
  });

  it('is cleared of what is over; what waits stays, and so does its answer', async () => {
    await harness.api('GET', `/protected/json/sms/${id}`);
    await harness.createApproval(id, { message: 'Still open?' });
    await page.getByRole('heading', { name: 'Still open?' }).waitFor();
    (await page.locator('.message').count()).should.equal(1);
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.locator('.message').waitFor({ state: 'detached' });
    await page.reload();
    await page.getByRole('heading', { name: 'Still open?' }).waitFor();
    (await page.locator('.message').count()).should.equal(0);
    await page.getByRole('button', { name: 'Deny', exact: true }).click();
    await page.getByText('Denied', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByText('Nothing yet.').waitFor();
    // The simulator itself has forgotten nothing.
    (await harness.messages()).should.have.length(1);
    await page.getByText('start the simulator with --host 0.0.0.0').waitFor();
  });

  it('counts in its title what waits and what came unseen, and rings only if it was told to', async () => {
    await page.evaluate(() => {
      Object.assign(window, { rung: 0 });
      OscillatorNode.prototype.start = () => {
        (window as unknown as { rung: number }).rung += 1;
      };
      OscillatorNode.prototype.stop = () => undefined;
    });
    const rung = (): Promise<number> => page.evaluate(() => (window as unknown as { rung: number }).rung);
    const title = (text: string): Promise<unknown> =>
      page.waitForFunction((wanted) => document.title === wanted, text);
    /** Another tab in front, as far as the page can tell. */
    const hide = (isHidden: boolean): Promise<void> =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }, isHidden);
    await title('Garage · Authy simulator: phone');
    await page.getByRole('heading', { name: 'Garage · Authy simulator', exact: true }).waitFor();
    await harness.createApproval(id);
    await title('(1) Garage · Authy simulator: phone');
    await harness.control('PUT', '/settings', { appName: 'Authy Simulator' });
    await title('(1) Authy simulator: phone');
    await page.getByRole('heading', { name: 'Authy simulator', exact: true }).waitFor();
    await harness.control('PUT', '/settings', { appName: 'Garage' });
    await hide(true);
    await harness.api('GET', `/protected/json/sms/${id}`);
    await harness.api('GET', `/protected/json/call/${id}`);
    await title('(3) Garage · Authy simulator: phone');
    should(await rung()).equal(0);
    await hide(false);
    await title('(1) Garage · Authy simulator: phone');
    await page.getByLabel('Sound').check();
    should(await rung()).equal(2);
    await harness.api('GET', `/protected/json/sms/${id}`);
    await page.waitForFunction(() => (window as unknown as { rung: number }).rung === 4);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`axe finds nothing on it, empty and full, in ${colorScheme}`, async () => {
      await page.emulateMedia({ colorScheme });
      await page.evaluate(fs.readFileSync(require.resolve('axe-core'), 'utf8'));
      const findings = (): Promise<unknown[]> =>
        page.evaluate(async () => {
          const { violations } = await (window as unknown as AxeWindow).axe.run();
          return violations.map(({ id: rule, nodes }) => ({ rule, html: nodes.map(({ html }) => html) }));
        });
      (await findings()).should.eql([]);
      receiver.status = 403;
      await harness.createUser({ cellphone: '3175550150', email: 'grace.hopper@example.com' });
      await page.getByLabel('Show').waitFor();
      for (let count = 0; count < 6; count++) await harness.api('GET', `/protected/json/sms/${id}`);
      await harness.createApproval(id, { message: 'Open the garage?', details: { Where: 'Home' } });
      await page.getByRole('button', { name: 'Approve', exact: true }).click();
      await page.getByText('Callback refused: 403').waitFor();
      await harness.createApproval(id, { message: 'Open the door?', seconds_to_expire: 300 });
      await page.getByRole('heading', { name: 'Open the door?' }).waitFor();
      await page.getByText(/^Earlier/).click();
      (await findings()).should.eql([]);
      await page.setViewportSize({ width: 1366, height: 768 });
      (await findings()).should.eql([]);
    });
  }

  for (const [locale, approve, approved, message] of [
    ['de-AT', 'Genehmigen', 'Genehmigt', 'SMS an Ada (+13175550142)'],
    ['ja', '承認', '承認済み', 'Ada (+13175550142) へのSMS'],
  ] as const) {
    it(`uses the language of a browser in ${locale}, and keeps the language of each message`, async () => {
      await harness.api('GET', `/protected/json/sms/${id}`, { locale: 'es' });
      await harness.createApproval(id);
      const narrow = { width: 360, height: 780 };
      const other = await (browser as Browser).newPage({ locale, viewport: narrow });
      other.on('pageerror', (error) => complaints.push(error.message));
      try {
        await other.goto(`${harness.url}/`);
        await other.getByRole('button', { name: approve, exact: true }).click();
        await other.getByText(approved, { exact: true }).waitFor();
        await other.getByText(message, { exact: true }).waitFor();
        should(await other.locator('.message .text').getAttribute('lang')).equal('es-ES');
        const width = await other.evaluate(() => document.documentElement.scrollWidth);
        width.should.equal(narrow.width);
      } finally {
        await other.close();
      }
    });
  }

  it("shows the authenticator's code and the switch of the app", async () => {
    const shown = page.locator('.user .code');
    // The code may change between the two reads.
    await eventually('the page to show the code', async () => {
      const digits = (await shown.innerText()).replace(' ', '');
      return digits === (await harness.user(id)).authenticator.code || undefined;
    });
    await page.getByLabel('Gets codes in the Authy app').check();
    await page.getByText('Authy app token').waitFor();
    (await harness.user(id)).app.should.be.true();
    await page.getByLabel('Gets codes in the Authy app').uncheck();
    await page.getByText('Authenticator code').waitFor();
    (await harness.user(id)).app.should.be.false();
  });

  it('shows the authenticators and devices of Twilio Verify, and asks there', async () => {
    // The authenticator computes with the clock of the harness, the simulator with its own.
    harness.time = Date.now();
    const { app } = await harness.createVerifiedFactor('person-0001', { FriendlyName: 'Phone of Ada' });
    await page.getByRole('heading', { name: 'Phone of Ada' }).waitFor();
    await page.getByText('Twilio Verify: person-0001').waitFor();
    await page.getByText('Confirmed', { exact: true }).waitFor();
    await eventually('the page to show the code', async () => {
      harness.time = Date.now();
      return (await page.locator('.factor .code').innerText()).replace(' ', '') === app.code || undefined;
    });
    const { body } = await harness.control('POST', '/factors', { identity: 'person-0002' });
    await page.getByText('An app of your own').waitFor();
    const challenge = await harness.verify('POST', '/Entities/person-0002/Challenges', {
      FactorSid: String(body['sid']),
      'Details.Message': 'Open the cellar?',
      'Details.Fields': '{"label":"Where","value":"Home"}',
    });
    await page.getByRole('heading', { name: 'Open the cellar?' }).waitFor();
    await page.getByText('Garage asks person-0002').waitFor();
    await page.getByLabel('Show').selectOption('person-0002');
    (await page.locator('.user').count()).should.equal(0);
    (await page.locator('.factor').count()).should.equal(1);
    await page.getByRole('button', { name: 'Approve', exact: true }).click();
    await page.getByText('Approved', { exact: true }).waitFor();
    const sid = String(challenge.body['sid']);
    const read = await harness.verify('GET', `/Entities/person-0002/Challenges/${sid}`);
    read.body.should.have.property('status', 'approved');
    await harness.startVerification({ Channel: 'whatsapp' });
    await page.getByLabel('Show').selectOption('All phones');
    await page.getByText('WhatsApp message to Ada (+13175550142)').waitFor();
    (await page.evaluate(() => document.documentElement.scrollWidth)).should.equal(390);
  });

  it('shows one phone of several', async () => {
    const other = await harness.createUser({ cellphone: '3175550150' });
    await harness.createApproval(id, { message: 'Of the first' });
    await harness.createApproval(other, { message: 'Of the second' });
    await page.getByRole('heading', { name: 'Of the second' }).waitFor();
    await page.getByLabel('Show').selectOption('+13175550142');
    await page.getByRole('heading', { name: 'Of the second' }).waitFor({ state: 'detached' });
    (await page.getByRole('heading', { name: 'Of the first' }).count()).should.equal(1);
    (await page.locator('.user').count()).should.equal(1);
    await page.getByLabel('Show').selectOption('All phones');
    await page.getByRole('heading', { name: 'Of the second' }).waitFor();
    (await page.locator('[role=status] p', { hasText: 'Of the second' }).count()).should.be.belowOrEqual(1);
  });

  it('is not wider than a small screen', async () => {
    await harness.createApproval(id, {
      message: 'x'.repeat(140),
      details: { ['y'.repeat(20)]: 'z'.repeat(200) },
    });
    await page.getByRole('heading', { name: 'xxx' }).waitFor();
    (await page.evaluate(() => document.documentElement.scrollWidth)).should.equal(390);
  });

  it('sends the token of the Node-RED editor, and without one asks the user to log in there', async () => {
    await harness.createApproval(id, { message: 'Behind the login' });
    const app = application(
      [
        below('/admin/authy-simulator/a1/phone', harness.simulator.phonePage),
        below('/admin/authy-simulator/a1', (request, response, next) => {
          if (request.headers.authorization === 'Bearer editor-token') next();
          else response.writeHead(401).end('Unauthorized');
        }),
        below('/admin/authy-simulator/a1', harness.simulator.control),
      ],
      String,
    );
    const server = http.createServer(app).listen(0, '127.0.0.1');
    try {
      await new Promise((resolve) => server.once('listening', resolve));
      await page.goto(
        `http://127.0.0.1:${(server.address() as AddressInfo).port}/admin/authy-simulator/a1/phone/`,
      );
      await page.getByText('Log in to the Node-RED editor first').waitFor();
      // The browser itself logs the refusal.
      complaints.splice(0).should.matchEach(/401/);
      await page.evaluate(() => {
        localStorage.setItem('auth-tokens-admin', JSON.stringify({ access_token: 'editor-token' }));
      });
      await page.getByRole('heading', { name: 'Behind the login' }).waitFor();
      await page.getByText('Log in to the Node-RED editor first').waitFor({ state: 'hidden' });
      await page.getByRole('button', { name: 'Deny', exact: true }).click();
      await page.getByText('The answer was delivered to').waitFor();
      complaints.length = 0;
    } finally {
      await page.goto('about:blank');
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
