import { EditorSuite } from '../support/editor';
import { runtimes } from '../support/node_red';

for (const runtime of runtimes) {
  describe(`the check of a page's address in the editor of Node-RED ${runtime.version}x`, function () {
    this.timeout(120_000);
    const suite = new EditorSuite(runtime);

    it('says what works and what to do, and nothing about what is not deployed', async () => {
      const page = `${suite.nodeRed.nodeUrl}approve`;
      const account = { id: 'account', type: 'authy-config', z: '' };
      await suite.nodeRed.deploy([
        { id: 'tab', type: 'tab', label: 'checked' },
        {
          ...{ id: 'account', type: 'authy-config', version: 2, name: 'Front door', service: 'local' },
          ...{ localName: '', approvalStore: 'files', deadline: 15, maxInFlight: 10, redisUrl: '' },
          ...{ approverUrl: page, approverPath: '/approve', approverPush: true, approverText: true },
        },
      ]);
      const editor = await suite.open('node-red', { viewport: { width: 1500, height: 950 } });
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
    });
  });
}
