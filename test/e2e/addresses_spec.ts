import fs from 'node:fs';
import path from 'node:path';
import { Agent, fetch } from 'undici';
import should from 'should';
import { selfSigned } from '../support/certificate';
import {
  eventually,
  type FlowNode,
  freePort,
  Process,
  root,
  runtimes,
  temporaryDirectory,
} from '../support/node_red';

/** The blocks of settings.js in a page of the documentation, which say that a test runs them. */
function settingsOf(page: string): string {
  const text = fs.readFileSync(path.join(root, 'docs', page), 'utf8');
  const blocks = [...text.matchAll(/^ *<!-- This block is run by .* -->\s*^ *```js\n([^]*?)^ *```$/gm)];
  blocks.should.have.length(1);
  return blocks[0]?.[1] ?? '';
}

/** Flows that answer with 200 at some addresses, by nodes that Node-RED brings along. */
const flows: FlowNode[] = [
  { id: 'tab', type: 'tab' },
  ...['get /approve/', 'post /approve/api/state', 'get /approver', 'get /garage'].map((route) => {
    const [method, url] = route.split(' ');
    return { id: route, type: 'http in', z: 'tab', method, url, wires: [['answer']] };
  }),
  { id: 'answer', type: 'http response', z: 'tab', statusCode: '200', headers: {} },
];

for (const runtime of runtimes) {
  describe(`documentation: the address of the approver's page, with Node-RED ${runtime.version}x`, function () {
    // The first time, all of Node-RED 5 is downloaded.
    this.timeout(600_000);
    let executables: { node: string; red: string };
    let running: Process | undefined;
    let base = '';

    before(async function () {
      executables = await runtime.executables(this);
    });

    afterEach(async () => {
      await running?.stop();
      running = undefined;
    });

    /** Starts a Node-RED with settings of the documentation, and with others. */
    async function start(
      documented: string,
      settings: object,
      env: Record<string, string>,
    ): Promise<Process> {
      const userDir = temporaryDirectory();
      const port = await freePort();
      base = `http://127.0.0.1:${port}`;
      const others = {
        uiHost: '127.0.0.1',
        uiPort: port,
        flowFile: 'flows.json',
        telemetry: { enabled: false, updateNotification: false },
        ...settings,
      };
      fs.writeFileSync(path.join(userDir, 'documented.js'), documented);
      fs.writeFileSync(path.join(userDir, 'flows.json'), JSON.stringify(flows));
      const settingsFile = path.join(userDir, 'settings.js');
      fs.writeFileSync(
        settingsFile,
        `module.exports = { ...require('./documented.js'), ...${JSON.stringify(others)} };`,
      );
      running = new Process(executables.node, [executables.red, '-s', settingsFile, '-u', userDir], env);
      return running;
    }

    async function answering(child: Process): Promise<void> {
      await child.until('its flows to start', () => child.output.includes('Started flows') || undefined);
      await child.until('it to listen', () => child.output.includes('Server now running') || undefined);
    }

    describe('a password in front of everything but the page', () => {
      const credentials = { PAGES_USER: 'ada', PAGES_PASSWORD: 'a pass:wörd' };
      const authorization = `Basic ${Buffer.from('ada:a pass:wörd').toString('base64')}`;

      async function status(route: string, headers: Record<string, string> = {}, method = 'GET') {
        const response = await fetch(base + route, { method, headers });
        await response.text();
        return response.status;
      }

      for (const prefix of ['', '/pages']) {
        it(`leaves the page out, and asks everywhere else${prefix && ', behind httpNodeRoot'}`, async () => {
          const settings = prefix === '' ? {} : { httpNodeRoot: prefix };
          await answering(await start(settingsOf('https/password.md'), settings, credentials));
          (await status(`${prefix}/approve/`)).should.equal(200);
          (await status(`${prefix}/approve/api/state`, {}, 'POST')).should.equal(200);
          for (const other of ['/garage', '/approver', '/nothing']) {
            const asked = await fetch(base + prefix + other);
            asked.status.should.equal(401);
            should(asked.headers.get('www-authenticate')).equal('Basic realm="Node-RED"');
            await asked.text();
          }
          (await status(`${prefix}/garage`, { authorization })).should.equal(200);
        });
      }

      it('accepts no other user, password or scheme', async () => {
        await answering(await start(settingsOf('https/password.md'), {}, credentials));
        const encoded = (text: string): string => Buffer.from(text).toString('base64');
        for (const wrong of [
          `Basic ${encoded('ada:a pass:word')}`,
          `Basic ${encoded('bob:a pass:wörd')}`,
          `Basic ${encoded('undefined:undefined')}`,
          `Basic ${encoded('')}`,
          'Basic',
          `Bearer ${encoded('ada:a pass:wörd')}`,
        ]) {
          (await status('/garage', { authorization: wrong })).should.equal(401);
        }
      });

      it('lets Node-RED not start without user and password', async () => {
        const child = await start(
          settingsOf('https/password.md'),
          {},
          { PAGES_USER: 'ada', PAGES_PASSWORD: '' },
        );
        should(await child.exit()).not.equal(0);
        child.output.should.containEql('Set PAGES_USER and PAGES_PASSWORD');
      });
    });

    it("Node-RED's own https serves the page with a certificate that is read by a function", async () => {
      const { key, cert } = await selfSigned();
      const folder = temporaryDirectory();
      fs.writeFileSync(path.join(folder, 'privkey.pem'), key);
      fs.writeFileSync(path.join(folder, 'fullchain.pem'), cert);
      const documented = settingsOf('https/node-red.md');
      documented.should.containEql("'/home/me/certificates'");
      await answering(
        await start(documented.replace("'/home/me/certificates'", JSON.stringify(folder)), {}, {}),
      );
      const dispatcher = new Agent({ connect: { ca: cert } });
      const page = await eventually('the page', () =>
        fetch(`${base.replace('http:', 'https:')}/approve/`, { dispatcher }),
      );
      page.status.should.equal(200);
      await page.text();
      await dispatcher.close();
      // Nothing answers without encryption.
      await fetch(`${base}/approve/`).should.be.rejected();
    });
  });
}
