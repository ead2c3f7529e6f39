import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import should from 'should';
import { type FlowNode, freePort, packageName, Process, root, temporaryDirectory } from '../support/node_red';

/** The addresses that are printed for the ready flows. */
interface Addresses {
  readonly Editor: string;
  readonly Dashboard: string;
  readonly Code: string;
  readonly Phone: string;
  readonly Invitation: string;
  readonly Door: string;
}

describe('npm start', function () {
  this.timeout(120_000);

  const processes: Process[] = [];
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((process) => process.stop()));
  });

  function start(env: Readonly<Record<string, string>>, folder = root): Process {
    const started = new Process(process.execPath, [path.join(folder, 'scripts', 'start.mjs')], env);
    processes.push(started);
    return started;
  }

  /** The addresses that it prints, by name. */
  async function addresses(started: Process): Promise<Partial<Addresses>> {
    return started.until('it prints the addresses', () => {
      if (!started.output.includes('\n\n  Ctrl+C stops it.\n')) return undefined;
      const lines = started.output.matchAll(/^ {2}(?:\d\. )?(\w+) +(http\S+)$/gm);
      const found = [...lines].map(([, name, url]) => [name, url]);
      return Object.fromEntries(found) as Partial<Addresses>;
    });
  }

  it('runs ready flows, prints their addresses, and keeps what the user changed', async () => {
    const userDir = temporaryDirectory();
    // A link like this is left if the clone has been moved.
    const link = path.join(userDir, 'node_modules', packageName);
    fs.mkdirSync(path.dirname(link), { recursive: true });
    fs.symlinkSync(path.join(userDir, 'not there any more'), link);

    const port = await freePort();
    const first = start({ PORT: String(port), AUTHY_USER_DIR: userDir });
    const printed = await addresses(first);
    Object.keys(printed).should.deepEqual(['Editor', 'Dashboard', 'Code', 'Phone', 'Invitation', 'Door']);
    const {
      Editor: editor,
      Dashboard: dashboard,
      Code: code,
      Phone: phone,
      Invitation: invitation,
      Door: door,
    } = printed as Addresses;
    editor.should.equal(`http://127.0.0.1:${port}/`);
    dashboard.should.equal(`${editor}garage`);
    code.should.equal(`${editor}authy/code`);
    phone.should.match(new RegExp(`^${editor}authy-simulator/[0-9a-f]{16}/phone/$`));
    // Passkeys need a name.
    door.should.equal(`http://localhost:${port}/gate`);
    invitation.should.equal(`${door}/invite`);
    first.output.should.containEql(
      '  1. Editor      tab "Garage door without a vendor": press "invite Ada"\n  2. Invitation ',
    );
    first.output.should.match(/browser of this computer, with a fingerprint, face or PIN; or a phone/);
    for (const address of [
      editor,
      dashboard,
      phone,
      door,
      invitation,
      `http://localhost:${port}/approve-door/`,
    ]) {
      const page = await fetch(address);
      page.status.should.equal(200);
      page.headers.get('content-type')?.should.startWith('text/html');
    }
    const settings = (await json(`${editor}settings`)) as {
      version: string;
      telemetryEnabled?: boolean;
      editorTheme: { tours?: boolean };
    };
    settings.version.should.startWith('4.1.');
    should(settings.telemetryEnabled).not.equal(true);
    should(settings.editorTheme.tours).equal(false);
    const { nodes: sets } = (await json(`${editor}nodes/${packageName}`)) as { nodes: { err?: string }[] };
    sets.should.not.be.empty();
    sets.filter(({ err }) => err !== undefined).should.deepEqual([]);

    const flows = (await json(`${editor}flows`)) as FlowNode[];
    const types = flows.map(({ type }) => type);
    types.should.containDeep([
      'authy-onetouch-approval',
      'authy-onetouch-callback',
      'authy-token-sms',
      'authy-token-verify',
    ]);
    types.should.containDeep(['authy-user-invite', 'authy-notifications']);
    const accounts = flows.filter(({ type }) => type === 'authy-config');
    accounts.map(({ service }) => service).should.deepEqual(['authy', 'local']);
    const used = new Set(flows.flatMap(({ account }) => account ?? []));
    [...used].sort().should.deepEqual(accounts.map(({ id }) => id).sort());

    const mine = { id: '0123456789abcdef', type: 'tab', label: 'Mine' };
    const [simulated] = accounts;
    const another = { ...simulated, id: '123456789abcdef0', name: 'Payments' };
    const deployed = await fetch(`${editor}flows`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([...flows, mine, another]),
    });
    deployed.status.should.equal(204);
    should(await first.stop()).equal(0);

    const second = start({ PORT: String(await freePort()), AUTHY_USER_DIR: userDir });
    const again = await addresses(second);
    const kept = (await json(`${again.Editor ?? ''}flows`)) as FlowNode[];
    kept.should.containDeep([mine]);
    kept.should.have.length(flows.length + 2);
    second.output.should.match(/^ {2}Phone .*\/phone\/ {2}\(Home\)\n {2}Phone .*\/phone\/ {2}\(Payments\)$/m);
  });

  it('prints only the addresses that the changed flows still have', async () => {
    const userDir = temporaryDirectory();
    const flowFile = path.join(userDir, 'flows.json');
    const flows = JSON.stringify([
      { id: '0123456789abcdef', type: 'tab', label: 'Garage', disabled: true },
      {
        id: '123456789abcdef0',
        type: 'http in',
        z: '0123456789abcdef',
        method: 'get',
        url: '/garage',
        wires: [[]],
      },
    ]);
    fs.writeFileSync(flowFile, flows);
    const port = await freePort();
    const started = start({ PORT: String(port), AUTHY_USER_DIR: userDir });
    (await addresses(started)).should.deepEqual({ Editor: `http://127.0.0.1:${port}/` });
    fs.readFileSync(flowFile, 'utf8').should.equal(flows);
  });

  it('says in one line that the port is taken', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as net.AddressInfo;
      const started = start({ PORT: String(port), AUTHY_USER_DIR: temporaryDirectory() });
      should(await started.exit()).equal(1);
      started.output.should.equal(
        `Port ${port} on 127.0.0.1 is taken. Stop what uses it, or choose another one: PORT=1881 npm start\n`,
      );
    } finally {
      server.close();
    }
  });

  it('says in one line that PORT is not a port', async () => {
    const started = start({ PORT: '80a', AUTHY_USER_DIR: temporaryDirectory() });
    should(await started.exit()).equal(1);
    started.output.should.equal(
      'PORT has to be a number from 1 to 65535, such as PORT=1881, and not "80a".\n',
    );
  });

  it('says in one line that the nodes are not built', async () => {
    const clone = temporaryDirectory();
    fs.mkdirSync(path.join(clone, 'scripts'));
    for (const file of ['package.json', path.join('scripts', 'start.mjs')]) {
      fs.copyFileSync(path.join(root, file), path.join(clone, file));
    }
    const port = String(await freePort());
    const bare = start({ PORT: port }, clone);
    should(await bare.exit()).equal(1);
    bare.output.should.equal('Node-RED is not installed here. Run "npm ci", then "npm start".\n');

    fs.symlinkSync(path.join(root, 'node_modules'), path.join(clone, 'node_modules'));
    const unbuilt = start({ PORT: port }, clone);
    should(await unbuilt.exit()).equal(1);
    unbuilt.output.should.equal(
      'The nodes are not built: dist/ is missing. Run "npm start", which builds them first.\n',
    );
    fs.existsSync(path.join(clone, '.node-red')).should.be.false();
  });
});

async function json(url: string): Promise<unknown> {
  const response = await fetch(url, { headers: { accept: 'application/json' } });
  response.status.should.equal(200, url);
  return response.json();
}
