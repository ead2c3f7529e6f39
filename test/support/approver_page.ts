import type { Browser, BrowserContext, Page } from 'playwright-core';

/** What somebody sees and does on the approver's page, in a real browser whose passkeys are a virtual authenticator's. */
export class ApproverPage {
  readonly complaints: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
  ) {
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.complaints.push(message.text());
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
      ...options,
    });
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
    await this.page.getByLabel('Name of this phone').fill(name);
    await this.page.getByRole('button', { name: 'Create a passkey' }).click();
    return this.enrolled();
  }

  /** What the phone shows once it is set up; goes on to the requests. */
  async enrolled(): Promise<{ number: string; recoveryCodes: string[] }> {
    const { page } = this;
    const number = (await page.locator('[data-part=number].digits').textContent()) ?? '';
    const recoveryCodes = await page.locator('.recovery-codes li').allTextContents();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('link', { name: 'Requests' }).waitFor();
    return { number, recoveryCodes: recoveryCodes.map((code) => code.replace(/\D/g, '')) };
  }

  /** The card of a request, once it is there. */
  request(message: string): ReturnType<Page['locator']> {
    return this.page.locator('.request', { hasText: message });
  }

  async approve(message: string): Promise<void> {
    await this.request(message).getByRole('button', { name: 'Approve' }).click();
  }

  async deny(message: string): Promise<void> {
    await this.request(message).getByRole('button', { name: 'Deny' }).click();
  }

  async notMe(message: string): Promise<void> {
    await this.request(message).getByRole('button', { name: 'I did not ask for this' }).click();
    await this.page.getByRole('button', { name: 'It was not me' }).click();
  }

  /** The answers that the page remembers, the newest first: what is told of each. */
  async history(): Promise<string[]> {
    await this.page.getByRole('link', { name: 'Answered' }).click();
    return this.page.locator('#history .row').allInnerTexts();
  }

  close(): Promise<void> {
    return this.context.close();
  }
}
