import { setTimeout as pause } from 'node:timers/promises';
import should from 'should';
import { NodeRed, runtimes } from '../support/node_red';
import { ScriptedServer } from '../support/scripted_server';

/** As `connect-timeout` and others do it: who has waited too long gets an answer, and the handler goes on. */
const impatient = `module.exports = {
  httpAdminMiddleware(request, response, next) {
    setTimeout(() => {
      if (!response.headersSent && /approve|authy-config.page|authy-people/.test(request.url)) response.writeHead(503).end();
    }, 300);
    next();
  },
};`;

const [runtime] = runtimes;

describe('Somebody else has answered a request already', function () {
  this.timeout(120_000);
  let nodeRed: NodeRed;
  let site: ScriptedServer;

  before(async function () {
    if (runtime === undefined) throw new Error('There is no Node-RED.');
    site = await new ScriptedServer().start();
    nodeRed = await NodeRed.start(this, runtime, { documented: impatient });
    const account = {
      type: 'authy-config',
      version: 2,
      service: 'local',
      localName: '',
      approvalStore: 'files',
    };
    await nodeRed.deploy([
      { ...account, id: 'door', name: 'Door' },
      {
        ...account,
        id: 'far',
        name: 'Far',
        approverUrl: `${site.url}/approve`,
        approverPath: '/far-approve',
      },
    ]);
  });
  after(async () => {
    await nodeRed.stop();
    await site.stop();
  });

  async function shouldRun(): Promise<void> {
    await pause(500);
    should((await fetch(`${nodeRed.adminUrl}settings`)).status).equal(200);
  }

  it('the check of an address that does not answer', async () => {
    site.script('hang', 'hang');
    const options = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"id":"far"}' };
    should((await fetch(`${nodeRed.adminUrl}authy-config/page`, options)).status).equal(503);
    await pause(7000);
    await shouldRun();
  });
});
