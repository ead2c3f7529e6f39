import type { Browser } from 'playwright-core';
import { Editor, startBrowser } from '../support/editor';
import { NodeRed, runtimes } from '../support/node_red';

for (const runtime of runtimes) {
  describe(`the check of a page's address in the editor of Node-RED ${runtime.version}x`, function () {
    this.timeout(120_000);
    let browser: Browser | undefined;
    let nodeRed: NodeRed | undefined;

    before(async function () {
      // The first time, all of Node-RED 5 is downloaded.
      this.timeout(600_000);
      browser = await startBrowser(this);
      nodeRed = await NodeRed.start(this, runtime);
    });

    after(async () => {
      await browser?.close();
      await nodeRed?.stop();
    });

    it('says what works and what to do, and nothing about what is not deployed', async () => {
      const page = `${nodeRed?.nodeUrl ?? ''}approve`;
      const account = { id: 'account', type: 'authy-config', z: '' };
      await nodeRed?.deploy([
        { id: 'tab', type: 'tab', label: 'checked' },
        {
          ...{ id: 'account', type: 'authy-config', version: 2, name: 'Front door', service: 'local' },
          ...{ localName: '', approvalStore: 'files', deadline: 15, maxInFlight: 10, redisUrl: '' },
          ...{ approverUrl: page, approverPath: '/approve', approverPush: true, approverText: true },
        },
      ]);
      const context = await (browser as Browser).newContext({ viewport: { width: 1500, height: 950 } });
      context.setDefaultTimeout(20_000);
      const folder = `node-red-${runtime.version.replaceAll('.', '')}`;
      const editor = await Editor.open(context, nodeRed as NodeRed, folder);
      await editor.openPanel(account);
      const [button, result] = ['check', 'result'].map((name) =>
        editor.page.locator(`#authy-config-page-${name}`),
      ) as [ReturnType<typeof editor.page.locator>, ReturnType<typeof editor.page.locator>];
      await button.click();
      await result.getByText('New requests appear at once.').waitFor();
      await result.getByText('No approving by passkey.').waitFor();
      await result.getByText('Give the page an https address with a host name').waitFor();
      const link = result.getByRole('link').first();
      ((await link.getAttribute('href')) ?? '').should.match(/^https:\/\/.*\/docs\/https\.md#two-grades$/);
      await editor.picture('address checked');
      (await editor.barriers()).should.deepEqual([]);
      (await editor.untranslated()).should.deepEqual([]);

      await editor.page.locator('#node-config-input-approverUrl').fill('https://home.example/approve');
      await button.click();
      await result.getByText('Deploy first').waitFor();
      (await result.getByText('appear at once').count()).should.equal(0);
      editor.complaints.should.deepEqual([]);
      await context.close();
    });
  });
}
