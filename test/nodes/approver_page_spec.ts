import fs from 'node:fs';
import path from 'node:path';
import type { Browser, BrowserContext, CDPSession, Locator, Page } from 'playwright-core';
import should from 'should';
import { challengeOf, signedText } from '../../nodes/lib/approver/canonical';
import { ApproverStandIn, type ShownRequest } from '../support/approver_stand_in';
import { startBrowser } from '../support/editor';
import { eventually, root } from '../support/node_red';

/** A name of this machine for which browsers have no passkeys: it is no secure context. */
const insecure = 'nas.lan';

interface Vector {
  n: string;
  request: ShownRequest;
  canonical: string;
  challenge: string;
}

const { challenges } = JSON.parse(
  fs.readFileSync(path.join(root, 'test', 'vectors', 'approval-challenges.json'), 'utf8'),
) as { challenges: Vector[] };

interface AxeWindow {
  axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
}

describe('the page for approvals', function () {
  this.timeout(60_000);

  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let cdp: CDPSession;
  let standIn: ApproverStandIn;
  /** What the browser complained of: errors, warnings, and whatever the Content Security Policy forbade. */
  const complaints: string[] = [];

  before(async function () {
    browser = await startBrowser(this, [insecure]);
  });
  after(() => browser.close());

  afterEach(async () => {
    await context.close();
    await standIn.stop();
    // The browser itself reports each answer that is an error.
    const others = complaints.splice(0).filter((text) => !/status of (?:404|409|422|503)/.test(text));
    should(others).deepEqual([], 'what the browser complained of');
  });

  interface Start {
    host?: string;
    hash?: string;
    width?: number;
    locale?: string;
    /** Whether it is one with a touch screen; otherwise it is a computer with a small window. */
    isPhone?: boolean;
    /** What runs in the page before anything else. */
    script?: string;
    /** What the stand-in is set to before the page is opened. */
    given?: (standIn: ApproverStandIn) => void;
  }

  /** Opens the page of a new stand-in, on a phone with a passkey authenticator. */
  async function open(start: Start = {}): Promise<void> {
    const { host, hash = '', width = 390, locale = 'en-US', isPhone = false, script = '', given } = start;
    standIn = new ApproverStandIn(host);
    await standIn.start();
    given?.(standIn);
    const viewport = { width, height: 844 };
    const touch = { isMobile: isPhone, hasTouch: isPhone };
    context = await browser.newContext({ locale, reducedMotion: 'reduce', viewport, ...touch });
    // Compiled functions call this when they run in the page.
    await context.addInitScript({ content: `globalThis.__name = (value) => value; ${script}` });
    page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    cdp = await context.newCDPSession(page);
    await cdp.send('WebAuthn.enable');
    await addAuthenticator();
    await page.goto(standIn.url + hash);
    await page.locator('#loading').waitFor({ state: 'hidden' });
  }

  async function addAuthenticator(): Promise<string> {
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        ...{ protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true },
        ...{ isUserVerified: true, automaticPresenceSimulation: true },
      },
    });
    return authenticatorId;
  }

  /** Opens it, and sets up this phone with a passkey. */
  async function openEnrolled(start: Start = {}): Promise<void> {
    await open({ ...start, hash: '#i=invitation' });
    await page.getByRole('button', { name: 'Create a passkey' }).click();
    await page.getByRole('button', { name: 'Continue' }).click();
    await visible('Nothing to approve').waitFor();
  }

  /** Opens it on a phone that is signed in, and has no passkey that counts. */
  function openSignedIn(start: Start = {}): Promise<void> {
    return open({
      ...start,
      given: (standIn) => {
        standIn.phone = 'My phone';
        start.given?.(standIn);
      },
    });
  }

  const card = (message: string): Locator =>
    page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: message, exact: true }) });

  const button = (message: string, name: string): Locator => card(message).getByRole('button', { name });

  /** Waits until a request shows how it ended. */
  const ended = (message: string, outcome: string): Promise<void> =>
    card(message).locator('.result', { hasText: outcome }).waitFor();

  const visible = (text: string): Locator => page.getByText(text).filter({ visible: true });

  const problem = (message: string): Locator => card(message).getByRole('alert');

  async function asked(changes: Partial<ShownRequest> = {}): Promise<ShownRequest> {
    const request = standIn.ask(changes);
    await card(request.message).waitFor();
    await settled();
    return request;
  }

  /** Waits as long as taps are not trusted after something has moved. */
  const settled = (): Promise<void> => page.waitForTimeout(600);

  describe('a phone with a passkey', () => {
    it('is set up by an invitation, and signs what it shows', async () => {
      await open({ hash: '#i=invitation' });
      await page.getByLabel('Name of this phone').filter({ visible: true }).fill('Pixel');
      await page.getByRole('button', { name: 'Create a passkey' }).click();
      await visible('Its number is').waitFor();
      await page.locator('.digits', { hasText: '42' }).waitFor();
      (await page.locator('.recovery-codes li').allInnerTexts())[9]?.should.equal('1234 1234 1239');
      await page.getByRole('button', { name: 'Copy' }).waitFor();
      const download = page.waitForEvent('download');
      await page.getByRole('link', { name: 'Download' }).click();
      const saved = fs.readFileSync(await (await download).path(), 'utf8');
      saved.split('\r\n').should.have.length(10);
      await page.getByRole('button', { name: 'Continue' }).click();
      page.url().should.equal(`${standIn.url}#requests`);
      standIn.callsOf('enrol')[0]?.should.have.property('name', 'Pixel');
      const request = await asked({ details: [['Where', 'Home\nnorth side']], atLeast: 'passkey' });
      await button(request.message, 'Approve').click();
      await ended(request.message, 'Approved');
      // The stand-in has verified the signature.
      should(standIn.history[0]).containEql({ id: request.id, outcome: 'approved', phone: 'Pixel' });
      await visible('Nothing to approve').waitFor();
      (await page.locator('.recovery-codes li').count()).should.equal(0);
    });

    it('refuses to sign anything but what it shows', async () => {
      await openEnrolled();
      standIn.forge = (challenge) => Buffer.from(challenge, 'base64url').reverse().toString('base64url');
      const { message } = await asked();
      await button(message, 'Approve').click();
      await problem(message).getByText('Do not approve this.').waitFor();
      (await button(message, 'Approve').count()).should.equal(0);
      standIn.callsOf('approve').should.be.empty();
      await settled();
      await button(message, 'Deny').click();
      await ended(message, 'Denied');
    });

    it('no longer approves a request that the server has changed', async () => {
      await openEnrolled();
      const request = await asked({ message: 'Pay 10 €?' });
      standIn.requests = [{ ...request, message: 'Pay 1000 €?' }];
      standIn.changed();
      await problem('Pay 10 €?').getByText('Do not approve this.').waitFor();
      (await button('Pay 10 €?', 'Approve').count()).should.equal(0);
      (await card('Pay 1000 €?').count()).should.equal(0);
    });

    it('signs in with it, and says what helps where that was cancelled', async () => {
      await openEnrolled();
      await page.getByRole('link', { name: 'This phone' }).click();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('heading', { name: 'Sign in to approve' }).waitFor();
      await page.getByRole('button', { name: 'Sign in with passkey' }).click();
      await page.getByRole('heading', { name: 'This phone' }).waitFor();
      const { message } = await openRequests();
      await cdp.send('WebAuthn.disable');
      await cdp.send('WebAuthn.enable');
      const authenticatorId = await addAuthenticator();
      await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
      await button(message, 'Approve').click();
      await problem(message).getByText('Try again, and confirm with your face').waitFor();
      standIn.requests.should.have.length(1);
    });

    async function openRequests(): Promise<ShownRequest> {
      await page.getByRole('link', { name: 'Requests' }).click();
      return asked();
    }
  });

  for (const { n, request, canonical, challenge } of challenges) {
    it(`${n}: the text that is signed, and its challenge, are the published ones`, async () => {
      await open();
      const made = await page.evaluate(async (shown) => {
        const from = './canonical.js';
        const module = (await import(new URL(from, location.href).href)) as {
          canonicalText(request: object): string;
          challengeOf(request: object): Promise<string>;
        };
        return { canonical: module.canonicalText(shown), challenge: await module.challengeOf(shown) };
      }, request);
      made.should.deepEqual({ canonical, challenge });
      const { authyId, ...asked } = request;
      const text = signedText(authyId, asked);
      should({ canonical: text, challenge: challengeOf(text) }).deepEqual(made, 'as the server makes them');
    });

    it(`${n}: what is on the screen is what was asked, to the character`, async () => {
      await openEnrolled();
      standIn.ask({ ...request, expiresAt: null });
      const shown = page.locator('.request');
      await shown.waitFor();
      await settled();
      await shown.getByRole('button', { name: 'Approve' }).click();
      await shown.locator('.result', { hasText: 'Approved' }).waitFor();
    });
  }

  it('characters that would turn the text round can be seen, and turn nothing', async () => {
    await openSignedIn();
    standIn.ask({ message: 'Pay \u202e001 € to Ada' });
    const turning = page.locator('.request h3 .turning');
    await turning.waitFor();
    const style = await turning.evaluate((element) => [
      getComputedStyle(element).unicodeBidi,
      getComputedStyle(element, '::after').content,
    ]);
    style.should.deepEqual(['isolate', '"⇄"']);
  });

  describe('a phone at an address that is not encrypted', () => {
    const start: Start = { host: insecure, given: (standIn) => (standIn.grade = 'code') };

    it('is set up with an authenticator app, and approves by its code', async () => {
      await open({ ...start, hash: '#i=invitation' });
      await visible('The address of this page is not encrypted.').waitFor();
      const link = page.getByRole('link', { name: 'Open in authenticator app' });
      should(await link.getAttribute('href')).startWith('otpauth://totp/');
      await page.getByRole('img', { name: 'QR code for the authenticator app' }).waitFor();
      await visible('JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP').waitFor();
      await page.getByLabel('Code from your authenticator app').fill('123 456');
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Continue' }).click();
      standIn.callsOf('enrol')[0]?.should.containEql({ code: '123456' });

      const { message } = await asked();
      await button(message, 'Approve').click();
      await settled();
      await button(message, 'Approve').click();
      await problem(message).getByText('Enter the six digits').waitFor();
      await page.keyboard.type('111111\n');
      await problem(message).getByText('Enter the code again').waitFor();
      // Wide digits, as a Japanese keyboard writes them; the focus has stayed in the field.
      await page.keyboard.insertText('１２３４５６');
      await page.keyboard.press('Enter');
      await ended(message, 'Approved');
      standIn.callsOf('approve').should.matchEach((body: object) => {
        should(body).not.have.property('credential');
      });
    });

    it('says what this address does not protect from', async () => {
      await openSignedIn({ ...start, given: (standIn) => (standIn.grade = 'code') });
      await visible('This address is not encrypted').click();
      await visible('Someone on the same network can read').waitFor();
    });

    it('can only deny what needs a passkey', async () => {
      await openSignedIn({ ...start, given: (standIn) => (standIn.grade = 'code') });
      const { message } = await asked({ atLeast: 'passkey' });
      await card(message).getByText('This can only be approved with a passkey.').waitFor();
      (await button(message, 'Approve').count()).should.equal(0);
      await button(message, 'Deny').click();
      await ended(message, 'Denied');
    });

    it('copies recovery codes, though there is no clipboard for pages like this', async () => {
      await open({ ...start, hash: '#i=invitation' });
      await page.getByLabel('Code from your authenticator app').fill('123456');
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Copy' }).click();
      await page.getByRole('status').getByText('The codes are copied.').waitFor();
    });
  });

  describe('answers', () => {
    it('“not me” is asked once more, and can be taken back', async () => {
      await openSignedIn();
      const { message } = await asked();
      await button(message, 'I did not ask for this').click();
      const dialog = page.getByRole('dialog', { name: 'You did not ask for this?' });
      await dialog.getByText(message).waitFor();
      await dialog.getByRole('button', { name: 'Back' }).click();
      standIn.callsOf('deny').should.be.empty();
      await button(message, 'I did not ask for this').click();
      await dialog.getByRole('button', { name: 'It was not me' }).click();
      await ended(message, 'Reported: not you');
      should(standIn.callsOf('deny')).matchEach({ notMe: true });
    });

    it('work by keyboard alone; the focus goes on to the result, and from there to the next request', async () => {
      await openSignedIn();
      await asked({ message: 'First?' });
      await asked({ message: 'Second?' });
      await button('First?', 'Deny').focus();
      await page.keyboard.press('Enter');
      await ended('First?', 'Denied');
      await page.getByRole('status').getByText('Denied: First?').waitFor();
      (await focused()).should.match(/Denied/);
      await eventually('the focus to go on', async () => (await focused()) === 'Second?' || undefined);
    });

    it('that were given elsewhere are shown', async () => {
      await openSignedIn();
      const { id, message } = await asked();
      standIn.end(id, 'approved', 'Tablet');
      await ended(message, 'Approved by Tablet');
      (await button(message, 'Deny').count()).should.equal(0);
    });

    it('are listed, with what was asked', async () => {
      await openSignedIn();
      const { id } = await asked({ details: [['Where', 'Home']] });
      standIn.end(id, 'denied', 'Tablet');
      await page.getByRole('link', { name: 'History' }).click();
      await page.locator('#history').getByText('by Tablet').waitFor();
      await visible('Details').click();
      await page.getByRole('row', { name: 'Where Home' }).waitFor();
    });

    it('say what helps where they are refused', async () => {
      await openSignedIn();
      const { message } = await asked();
      for (const [code, status, sentence] of [
        ['locked', 403, 'Ask whoever runs this to unlock you'],
        ['answered', 409, 'this has been answered already'],
        ['unavailable', 503, 'Try again in a moment'],
      ] as const) {
        standIn.refusals.set('deny', { status, code });
        await button(message, 'Deny').click();
        await problem(message).getByText(sentence).waitFor();
        await settled();
      }
      standIn.refusals.set('deny', { status: 409, code: 'answered', retryAfter: 90 });
      complaints.splice(0).should.matchEach(/status of (?:403|409|503)/);
    });
  });

  describe('many requests', () => {
    it('come below, and move nothing: neither buttons nor the focus', async () => {
      await openSignedIn();
      const { message } = await asked();
      const deny = button(message, 'Deny');
      await deny.focus();
      const before = await deny.boundingBox();
      for (let number = 1; number <= 10; number++) standIn.ask({ message: `Number ${number}?` });
      await page.getByText('Number 10?').first().waitFor();
      should(await deny.boundingBox()).deepEqual(before);
      (await focused()).should.equal('Deny');
      (await page.title()).should.equal('(11) Front door');
      await page.getByRole('status').getByText('New request: Number 10?').waitFor();
      // Those that cannot be seen yet are counted; the button leads to the first of them.
      await page.getByRole('button', { name: /^\d+ new below$/ }).click();
      (await focused()).should.match(/^Number \d+\?$/);
    });

    it('do not get a tap that was meant for one that has just gone', async () => {
      await openSignedIn();
      await asked({ message: 'First?' });
      await asked({ message: 'Second?' });
      await button('First?', 'Deny').click();
      await page.mouse.move(5, 5);
      const deny = button('Second?', 'Deny');
      // At the very moment in which the first one goes.
      await deny.evaluate(async (element) => {
        const list = document.querySelector('.cards') as HTMLElement;
        await new Promise<void>((resolve) => {
          new MutationObserver(() => resolve()).observe(list, { childList: true });
        });
        element.dispatchEvent(new MouseEvent('click', { detail: 1, bubbles: true, cancelable: true }));
      });
      await problem('Second?').getByText('Tap once more').waitFor();
      standIn.callsOf('deny').should.have.length(1);
      await settled();
      await deny.click();
      await ended('Second?', 'Denied');
    });

    it('are counted down by the clock of the server', async () => {
      await openSignedIn({ given: (standIn) => (standIn.ahead = 3_600_000) });
      standIn.ask({ message: 'Quick?', expiresAt: Date.now() + standIn.ahead + 3000 });
      standIn.ask({ message: 'Patient?', expiresAt: null });
      await card('Quick?')
        .getByText(/^0:0[1-3] left$/)
        .waitFor();
      await card('Patient?').getByText('No time limit').waitFor();
      await ended('Quick?', 'Expired without an answer');
    });

    it('are asked for every few seconds where the events of the server do not come through', async () => {
      await openSignedIn({ given: (standIn) => (standIn.hasNoEvents = true) });
      standIn.ask();
      await page.getByRole('heading', { name: 'Open the garage door?' }).waitFor();
    });

    const setHidden = (isHidden: boolean): Promise<void> =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }, isHidden);

    for (const [where, start] of [
      ['on a phone', { isPhone: true }],
      ['where there are no locks', { script: 'delete Navigator.prototype.locks;' }],
    ] as const)
      it(`are not asked for while nobody can see the page ${where}`, async () => {
        await openSignedIn(start);
        await eventually('the page to listen', () => standIn.listening === 1 || undefined);
        await setHidden(true);
        await eventually('the page to stop listening', () => standIn.listening === 0 || undefined);
        const { length } = standIn.calls;
        standIn.ask();
        // Longer than what it asks by itself every few seconds.
        await page.waitForTimeout(6000);
        standIn.calls.should.have.length(length);
        await setHidden(false);
        await page.getByRole('heading', { name: 'Open the garage door?' }).waitFor();
        await eventually('the page to listen again', () => standIn.listening === 1 || undefined);
      });

    it('come to a tab in the background of a computer, whose title says so', async () => {
      await openSignedIn();
      await eventually('the page to listen', () => standIn.listening === 1 || undefined);
      await setHidden(true);
      standIn.ask();
      await page.waitForFunction(() => document.title.includes('1'));
      // Also after the server was gone for a while.
      standIn.hasNoEvents = true;
      standIn.hangUp();
      await eventually('the page not to listen', () => standIn.listening === 0 || undefined);
      standIn.ask({ message: 'And the gate?' });
      await page.waitForFunction(() => document.title.includes('2'));
      standIn.hasNoEvents = false;
      await eventually('the page to listen again', () => standIn.listening === 1 || undefined);
    });

    it('come to one tab in the background, however many are open; the next one listens once that is closed', async () => {
      await openSignedIn();
      await eventually('the page to listen', () => standIn.listening === 1 || undefined);
      await setHidden(true);
      const tabs = [page];
      for (let count = 0; count < 7; count++) {
        page = await context.newPage();
        tabs.push(page);
        await page.goto(standIn.url);
        await visible('Nothing to approve').waitFor();
        await setHidden(true);
      }
      const oneListens = (): Promise<unknown> =>
        eventually('one page to listen', () => standIn.listening === 1 || undefined);
      const isTold = (tab: Page): Promise<unknown> => tab.waitForFunction(() => document.title.includes('1'));
      const [first, second, ...others] = tabs as [Page, Page, ...Page[]];
      await oneListens();
      standIn.ask();
      await isTold(first);
      for (const tab of [second, ...others]) should(await tab.title()).not.containEql('1');
      await first.close();
      await isTold(second);
      await oneListens();
      page = others[0] as Page;
      await setHidden(false);
      await isTold(page);
      await eventually('both to listen', () => standIn.listening === 2 || undefined);
    });

    it('come up by the link of a notification', async () => {
      const messages = Array.from({ length: 8 }, (_, index) => `Number ${index}?`);
      await openSignedIn();
      const requests = messages.map((message) => standIn.ask({ message }));
      await page.getByText('Number 7?').first().waitFor();
      await page.goto(`${standIn.url}#r=${requests[6]?.id ?? ''}`);
      await eventually(
        'the request to have the focus',
        async () => (await focused()) === 'Number 6?' || undefined,
      );
      page.url().should.equal(`${standIn.url}#requests`);
      standIn.end(requests[5]?.id ?? '', 'approved', 'Tablet');
      await page.goto('about:blank');
      await page.goto(`${standIn.url}#r=${requests[5]?.id ?? ''}`);
      await page.getByRole('heading', { name: 'History' }).waitFor();
    });
  });

  describe('somebody without a phone that is set up', () => {
    it('is told to ask for an invitation, and so is whoever opens a used one', async () => {
      await open({ hash: '#i=old' });
      await visible('Ask for a new invitation').waitFor();
      await page.getByRole('link', { name: 'Go on without it' }).click();
      await visible('Ask whoever runs this for an invitation').waitFor();
      standIn.callsOf('invitation').should.have.length(1);
    });

    it('sets up this one with a recovery code', async () => {
      await open();
      await visible('I have lost my phone').click();
      await page.getByRole('button', { name: 'Use the recovery code' }).click();
      await visible('Enter your phone number with its country code.').waitFor();
      await page.getByLabel('Your phone number').fill('+1 317 555 0123');
      await page.getByLabel('Recovery code').fill('1111 1111 1111');
      await page.keyboard.press('Enter');
      await visible('Enter the code again').waitFor();
      await page.getByLabel('Recovery code').fill('1234 1234 1234');
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Create a passkey' }).waitFor();
      should(standIn.callsOf('recover')[1]).deepEqual({
        phoneNumber: '+1 317 555 0123',
        code: '123412341234',
      });
    });

    it('is told of a server that does not answer, as long as it does not', async () => {
      await openSignedIn();
      await page.route('**/api/**', (route) => route.abort());
      await page.evaluate(() => dispatchEvent(new Event('online')));
      await visible('Check your connection').waitFor();
      await page.unroute('**/api/**');
      await page.getByText('Check your connection').waitFor({ state: 'hidden' });
      complaints.splice(0).should.matchEach(/ERR_FAILED/);
    });
  });

  describe('this phone', () => {
    it('is renamed, and removed after a question', async () => {
      await openSignedIn({ given: (standIn) => (standIn.phones = 1) });
      await page.getByRole('link', { name: 'This phone' }).click();
      await visible('This is your only phone.').waitFor();
      await page.getByLabel('Name of this phone').filter({ visible: true }).fill('Kitchen');
      await page.keyboard.press('Enter');
      await page.getByRole('status').getByText('The name is saved.').waitFor();
      standIn.phone?.should.equal('Kitchen');
      await page.getByRole('button', { name: 'Remove this phone' }).click();
      await page.getByRole('dialog', { name: 'Remove your only phone?' }).getByText('Kitchen').waitFor();
      await page.keyboard.press('Escape');
      standIn.callsOf('leave').should.be.empty();
      await page.getByRole('button', { name: 'Remove this phone' }).click();
      await page.getByRole('button', { name: 'Remove', exact: true }).click();
      await page.getByRole('heading', { name: 'Sign in to approve' }).waitFor();
    });

    it('shows a notification of what is pushed, and brings up its request', async () => {
      await openSignedIn();
      const requests = Array.from({ length: 8 }, (_, index) => standIn.ask({ message: `Number ${index}?` }));
      await context.grantPermissions(['notifications'], { origin: standIn.origin });
      const registrationId = await registered();
      const { id = '' } = requests[7] ?? {};
      const push = (data: string): Promise<unknown> =>
        cdp.send('ServiceWorker.deliverPushMessage', { origin: standIn.origin, registrationId, data });
      const notifications = (): Promise<{ title: string; body: string; tag: string }[]> =>
        page.evaluate(async () => {
          const all = await (await navigator.serviceWorker.ready).getNotifications();
          return all.map(({ title, body, tag }) => ({ title, body, tag }));
        });
      // Chromium forgets one that comes while it looks at another: so it comes again until it is shown.
      const pushed = async (data: string, count: number): Promise<void> => {
        let tries = 0;
        await eventually('a notification', async () => {
          if (tries++ % 60 === 0) await push(data);
          return (await notifications()).length === count || undefined;
        });
      };
      await pushed(JSON.stringify({ title: 'Front door', body: 'Number 7?', id }), 1);
      await pushed('nothing that can be read', 2);
      const shown = await notifications();
      should(shown.find(({ tag }) => tag !== '')).deepEqual({
        title: 'Front door',
        body: 'Number 7?',
        tag: id,
      });
      should(shown.find(({ tag }) => tag === '')).have.property('title', new URL(standIn.origin).host);
      const [worker] = context.serviceWorkers();
      await worker?.evaluate(`registration.getNotifications({ tag: '${id}' }).then(([notification]) => {
        // Nobody has tapped it: so the worker may not bring the window to the front.
        const waitUntil = (done) => done.catch(() => undefined);
        dispatchEvent(Object.assign(new Event('notificationclick'), { notification, waitUntil }));
      })`);
      await eventually(
        'the request to have the focus',
        async () => (await focused()) === 'Number 7?' || undefined,
      );
      await settled();
      await push(JSON.stringify({ title: 'Front door', body: 'Number 7?', id }));
      await button('Number 7?', 'Deny').click();
      await eventually('the notification to go with its request', async () => {
        const left = await page.evaluate(async (tag) => {
          const registration = await navigator.serviceWorker.ready;
          return (await registration.getNotifications({ tag })).length;
        }, id);
        return left === 0 || undefined;
      });
    });

    /** Registers the service worker as the page does when notifications are turned on. @returns its id in the browser */
    async function registered(): Promise<string> {
      const id = new Promise<string>((resolve) => {
        cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations: [registration] }) => {
          if (registration !== undefined) resolve(registration.registrationId);
        });
      });
      await cdp.send('ServiceWorker.enable');
      await page.evaluate(async () => {
        await navigator.serviceWorker.register('sw.js');
        await navigator.serviceWorker.ready;
      });
      return id;
    }
  });

  describe('for everybody', () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      it(`axe finds nothing in any view, in ${colorScheme}`, async () => {
        await open({ hash: '#i=invitation' });
        await page.emulateMedia({ colorScheme });
        await page.getByRole('button', { name: 'Create a passkey' }).waitFor();
        await accessible('enrolment');
        await page.getByRole('button', { name: 'Create a passkey' }).click();
        await visible('Its number is').waitFor();
        await accessible('after enrolment');
        await page.getByRole('button', { name: 'Continue' }).click();
        await accessible('no requests');
        await asked({ details: [['Where', 'Home']] });
        await asked({ message: 'Soon over?', expiresAt: Date.now() + 20_000 });
        standIn.refusals.set('deny', { status: 409, code: 'answered' });
        await button('Soon over?', 'Deny').click();
        await problem('Soon over?').waitFor();
        await accessible('requests');
        await settled();
        await button('Soon over?', 'I did not ask').click();
        await accessible('not me');
        await page.keyboard.press('Escape');
        await button('Open the garage door?', 'Approve').click();
        await ended('Open the garage door?', 'Approved');
        await accessible('approved');
        await page.getByRole('link', { name: 'History' }).click();
        await visible('Details').click();
        await accessible('history');
        await page.getByRole('link', { name: 'This phone' }).click();
        await accessible('phone');
        await page.getByRole('button', { name: 'Sign out' }).click();
        await visible('I have lost my phone').click();
        await accessible('sign-in');
      });

      it(`axe finds nothing where a code is asked for, in ${colorScheme}`, async () => {
        await open({ host: insecure, hash: '#i=invitation', given: (standIn) => (standIn.grade = 'code') });
        await page.emulateMedia({ colorScheme });
        const code = page.getByLabel('Code from your authenticator app');
        await code.waitFor();
        await accessible('enrolment');
        await code.fill('123456');
        await page.keyboard.press('Enter');
        await page.getByRole('button', { name: 'Continue' }).click();
        const { message } = await asked();
        await asked({ message: 'With a passkey?', atLeast: 'passkey' });
        await button(message, 'Approve').click();
        await visible('This address is not encrypted').click();
        await accessible('requests');
      });
    }

    async function accessible(view: string): Promise<void> {
      await page.evaluate(fs.readFileSync(require.resolve('axe-core'), 'utf8'));
      const found = await page.evaluate(async () => {
        const { violations } = await (window as unknown as AxeWindow).axe.run();
        return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
      });
      should(found).deepEqual([], view);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      width.should.equal(390, view);
      (await tooSmall()).should.deepEqual([], view);
    }

    /** What can be tapped and is lower than 40 pixels, or than 48 where a request is answered. */
    function tooSmall(): Promise<string[]> {
      return page.evaluate(() => {
        const targets = [...document.querySelectorAll<HTMLElement>('button, a, summary, input')];
        return targets
          .map((element) => ({ element, height: element.getBoundingClientRect().height }))
          .filter(({ element, height }) => height > 0 && height < (element.matches('.pill') ? 40 : 48))
          .map(({ element, height }) => `${element.outerHTML} ${height}`);
      });
    }

    it('what waits is told on top of what a new phone has to read, and one tap leads there', async () => {
      await open({ hash: '#i=invitation' });
      await page.getByRole('heading', { name: 'Set up this phone' }).waitFor();
      await page.getByRole('button', { name: 'Create a passkey' }).click();
      await page.getByRole('heading', { name: 'This phone is set up' }).waitFor();
      standIn.ask({ message: 'First?' });
      await visible('1 request is waiting').waitFor();
      await page.getByRole('button', { name: 'Continue' }).scrollIntoViewIfNeeded();
      const { id } = standIn.ask({ message: 'Second?' });
      await visible('2 requests are waiting').waitFor();
      const go = page.getByRole('button', { name: 'Go to the requests' });
      const isInView = await go.evaluate((element) => {
        const { left, top, bottom } = element.getBoundingClientRect();
        return bottom < innerHeight && element.contains(document.elementFromPoint(left + 20, top + 20));
      });
      isInView.should.be.true();
      await visible('Save your recovery codes first').waitFor();
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await accessible(`after enrolment, in ${colorScheme}`);
      }
      standIn.end(id, 'approved', 'Tablet');
      await visible('1 request is waiting').waitFor();
      await go.click();
      await button('First?', 'Approve').waitFor();
      await go.waitFor({ state: 'hidden' });
      (await page.locator('.recovery-codes li').count()).should.equal(0);
    });

    it('whoever opens a used invitation on a phone that is set up is led to the requests', async () => {
      await openSignedIn({ hash: '#i=old' });
      standIn.ask();
      await page.getByRole('heading', { name: 'This phone is set up' }).waitFor();
      await visible('You need no invitation here').waitFor();
      (await visible('Ask for a new invitation').count()).should.equal(0);
      await accessible('a used invitation');
      await page.getByRole('link', { name: 'Go to the requests' }).click();
      await button('Open the garage door?', 'Approve').waitFor();
    });

    for (const [locale, approve, deny] of [
      ['de', 'Genehmigen', 'Ablehnen'],
      ['es', 'Aprobar', 'Denegar'],
      ['fr', 'Approuver', 'Refuser'],
      ['it', 'Approva', 'Nega'],
      ['ja', '承認', '拒否'],
      ['pt-BR', 'Aprovar', 'Negar'],
      ['zh-CN', '批准', '拒绝'],
    ] as const) {
      it(`fits a narrow screen in ${locale}`, async () => {
        await open({ locale, width: 320, hash: '#i=invitation' });
        await page.locator('#enrolment [data-part=submit]').click();
        await page.locator('#enrolment [data-part=proceed]').waitFor();
        const fits = async (): Promise<void> => {
          (await page.evaluate(() => document.documentElement.scrollWidth)).should.equal(320);
        };
        await fits();
        standIn.ask();
        await page.locator('#waiting').waitFor();
        await fits();
        await page.locator('#enrolment [data-part=proceed]').click();
        standIn.ask({ details: [['y'.repeat(30), 'z'.repeat(200)]] });
        for (let count = 0; count < 3; count++) standIn.ask({ message: 'x'.repeat(140) });
        await page.getByRole('button', { name: approve, exact: true }).first().waitFor();
        await page.getByRole('button', { name: deny, exact: true }).first().waitFor();
        await page.locator('#new-below').waitFor();
        await fits();
        for (const link of await page.locator('#tabs a').all()) {
          await link.click();
          await fits();
        }
        await page.locator('[data-part=signOut]').click();
        await page.locator('#sign-in summary').click();
        await fits();
      });
    }

    it('comes with little: 60 KB on the wire', async () => {
      await open();
      const files = [...standIn.sizes.keys()];
      files.should.containEql('index.html').and.containEql('style.css').and.containEql('app.js');
      const sent = [...standIn.sizes.values()].reduce((sum, size) => sum + size.sent, 0);
      sent.should.be.below(60_000);
    });
  });

  function focused(): Promise<string> {
    return page.evaluate(() => document.activeElement?.textContent.trim() ?? '');
  }
});
