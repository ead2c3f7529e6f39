import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { eventually } from './node_red';

/** What somebody sees and does on the approver's page, in a real browser whose passkeys are a virtual authenticator's. */
export class ApproverPage {
  private static phones = 0;
  /** What went wrong in the page, as its console says; what the server refuses is no fault. */
  readonly complaints: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
  ) {
    page.on('console', (message) => {
      const isAnswer = message.text().startsWith('Failed to load resource');
      if (['error', 'warning'].includes(message.type()) && !isAnswer) this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(error.message));
  }

  /** A phone of its own: with its own storage, and a finger that is always the right one. */
  static async of(
    browser: Browser,
    options: Parameters<Browser['newContext']>[0] = {},
  ): Promise<ApproverPage> {
    const context = await browser.newContext({
      viewport: { width: 390, height: 844 },
      locale: 'en-US',
      // As a proxy on this machine would say it: each phone has its own limits.
      extraHTTPHeaders: { 'X-Forwarded-For': `192.0.2.${(ApproverPage.phones += 1) % 250}` },
      ...options,
    });
    return ApproverPage.in(context);
  }

  /** The page in a browser that is there. */
  static async in(context: BrowserContext): Promise<ApproverPage> {
    const page = await context.newPage();
    const devtools = await context.newCDPSession(page);
    await devtools.send('WebAuthn.enable');
    await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    return new ApproverPage(context, page);
  }

  /** Opens an invitation and follows it to its end. @returns the number that the phone shows, and its recovery codes */
  async enrol(url: string, name: string): Promise<{ number: string; recoveryCodes: string[] }> {
    await this.page.goto(url);
    await this.page.locator('#enrolment').getByLabel('Name of this phone').fill(name);
    await this.page.getByRole('button', { name: 'Create a passkey' }).click();
    return this.enrolled();
  }

  /** What the phone shows once it is set up; goes on to the requests. */
  async enrolled(): Promise<{ number: string; recoveryCodes: string[] }> {
    const { page } = this;
    await page.locator('#enrolment .digits').waitFor();
    const number = (await page.locator('#enrolment .digits').textContent()) ?? '';
    const recoveryCodes = await page.locator('.recovery-codes li').allTextContents();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('link', { name: 'Requests' }).waitFor();
    return { number, recoveryCodes: recoveryCodes.map((code) => code.replace(/\D/g, '')) };
  }

  /** The card of a request, once it is there. */
  request(message: string): Locator {
    return this.page.locator('.request', { hasText: message });
  }

  approve(message: string): Promise<void> {
    return this.press(message, 'Approve');
  }

  deny(message: string): Promise<void> {
    return this.press(message, 'Deny');
  }

  private async press(message: string, name: string): Promise<void> {
    const button = this.request(message).getByRole('button', { name });
    await this.tap(button, () => button.isHidden());
  }

  /** Taps a button until it has worked: the page takes no tap while the list has just moved. */
  private async tap(button: Locator, hasWorked: () => Promise<boolean>): Promise<void> {
    await button.click();
    await eventually('a tap to work', async () => {
      if (await hasWorked()) return true;
      const isRefused = await this.page.getByText('Tap once more').isVisible();
      if (isRefused) await button.click({ timeout: 1000 }).catch(() => undefined);
      return undefined;
    });
  }

  async notMe(message: string): Promise<void> {
    const yes = this.page.getByRole('button', { name: 'It was not me' });
    const button = this.request(message).getByRole('button', { name: 'I did not ask for this' });
    await this.tap(button, () => yes.isVisible());
    await yes.click();
  }

  /** The answers that the page remembers, the newest first: what is told of each. */
  async history(): Promise<string[]> {
    await this.page.getByRole('link', { name: 'History' }).click();
    return this.page.locator('#history .row').allInnerTexts();
  }

  close(): Promise<void> {
    return this.context.close();
  }
}
