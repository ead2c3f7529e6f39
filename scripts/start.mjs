// npm start: Node-RED on this machine with these nodes and ready flows, with the simulator and with a passkey of one's own.
//   PORT            where it listens on 127.0.0.1; 1880 unless told
//   AUTHY_USER_DIR  the user directory; .node-red/ in this repository unless told
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const { name: packageName } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
const userDir = path.resolve(process.env.AUTHY_USER_DIR || path.join(root, '.node-red'));
const flowFile = path.join(userDir, 'flows.json');
const settingsFile = path.join(userDir, 'settings.js');

/** The examples the ready flows are made of, in the order of their tabs. */
const readyFlows = [
  '02 Garage door with approval.json',
  '03 Garage door without a vendor.json',
  '04 Code by SMS and verify.json',
];

/** Their pages, with the name of each as it is printed. */
const simulatedPages = [
  ['Dashboard', '/garage'],
  ['Code', '/authy/code'],
];
const invitation = ['Invitation', '/gate/invite'];
const passkeyPages = [invitation, ['Door', '/gate']];
/** What the page of the invitation needs before it is opened. */
const invite = ['Editor', 'tab "Garage door without a vendor": press "invite Ada"'];

/** What ends the start before Node-RED runs: a line that says how to go on, without a stack. */
class Refusal extends Error {}

try {
  const port = readPort();
  const nodeRed = installedNodeRed();
  requireBuild();
  await requireFreePort(port);
  prepareUserDir(nodeRed);
  run(nodeRed, port);
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function readPort() {
  const text = process.env.PORT || '1880';
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) {
    throw new Refusal(`PORT has to be a number from 1 to 65535, such as PORT=1881, and not "${text}".`);
  }
  return port;
}

function installedNodeRed() {
  try {
    return path.dirname(createRequire(import.meta.url).resolve('node-red/package.json'));
  } catch {
    throw new Refusal('Node-RED is not installed here. Run "npm ci", then "npm start".');
  }
}

function requireBuild() {
  if (!fs.existsSync(path.join(root, 'dist', 'authy-config.js'))) {
    throw new Refusal('The nodes are not built: dist/ is missing. Run "npm start", which builds them first.');
  }
}

/** Node-RED would find out itself, but only after it has started everything else. */
async function requireFreePort(port) {
  const server = net.createServer();
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  }).catch((error) => {
    if (error.code === 'EADDRINUSE') {
      const other = port === 1881 ? 1882 : 1881;
      throw new Refusal(
        `Port ${port} on 127.0.0.1 is taken. Stop what uses it, or choose another one: PORT=${other} npm start`,
      );
    }
    throw new Refusal(`Cannot listen on port ${port} of 127.0.0.1: ${error.message}`);
  });
  await new Promise((resolve) => server.close(resolve));
}

/** Makes what is missing and leaves what is there: the flows and the settings are the user's once they exist. */
function prepareUserDir(nodeRed) {
  linkPackage();
  if (!fs.existsSync(settingsFile)) fs.writeFileSync(settingsFile, defaultSettings(nodeRed), { mode: 0o600 });
  if (!fs.existsSync(flowFile)) fs.writeFileSync(flowFile, JSON.stringify(composeFlow(), null, 4));
}

/** Node-RED's own settings, with a key for the credentials, which it else warns about at length. */
function defaultSettings(nodeRed) {
  const key = crypto.randomBytes(24).toString('hex');
  return fs
    .readFileSync(path.join(nodeRed, 'settings.js'), 'utf8')
    .replace(/^( *)\/\/ ?credentialSecret:.*$/m, `$1credentialSecret: "${key}",`);
}

/** As `npm install <folder>` would, but without a network, and anew where the clone was moved. */
function linkPackage() {
  const link = path.join(userDir, 'node_modules', packageName);
  fs.mkdirSync(path.dirname(link), { recursive: true });
  fs.rmSync(link, { recursive: true, force: true });
  fs.symlinkSync(root, link, 'junction');
}

/** The examples, side by side, those with a simulator on one account: one phone shows the requests and codes of all. */
function composeFlow() {
  const nodes = readyFlows.flatMap((file) =>
    JSON.parse(fs.readFileSync(path.join(root, 'examples', file), 'utf8')),
  );
  const [first, ...others] = nodes.filter(isSimulator);
  const merged = new Set(others.map(({ id }) => id));
  return nodes
    .filter(({ id }) => !merged.has(id))
    .map((node) => (merged.has(node.account) ? { ...node, account: first.id } : node))
    .map((node) => (node === first ? { ...first, name: 'Home' } : node));
}

function isAccount(node) {
  return node.type === 'authy-config';
}

function run(nodeRed, port) {
  // What `npm start` promises is set here and not in the settings file, which the user may change.
  const settings = {
    uiHost: '127.0.0.1',
    uiPort: port,
    httpAdminRoot: '/',
    httpNodeRoot: '/',
    flowFile: 'flows.json',
    'telemetry.enabled': false,
    'telemetry.updateNotification': false,
    'editorTheme.tours': false,
  };
  const define = Object.entries(settings).flatMap(([key, value]) => [
    '-D',
    `${key}=${JSON.stringify(value)}`,
  ]);
  const child = spawn(
    process.execPath,
    [path.join(nodeRed, 'red.js'), '-s', settingsFile, '-u', userDir, ...define],
    { stdio: 'inherit' },
  );
  // Ctrl+C reaches Node-RED by itself; it stops its flows, and this process ends with it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`Node-RED could not be started: ${error.message}`);
    process.exitCode = 1;
  });
  const stopped = new AbortController();
  child.on('exit', (code) => {
    stopped.abort();
    process.exitCode = code ?? 1;
  });
  void announce(port, stopped.signal);
}

/** Prints the addresses once they answer. */
async function announce(port, signal) {
  const running = runningNodes();
  const isServed = ([, route]) =>
    running.some(({ type, method, url }) => type === 'http in' && method === 'get' && url === route);
  const simulators = running.filter(isSimulator);
  const phones = simulators.map(({ id, name }) => [
    'Phone',
    `/authy-simulator/${id}/phone/`,
    ...(simulators.length > 1 && name ? [`  (${name})`] : []),
  ]);
  const here = `http://127.0.0.1:${port}`;
  const sections = [
    { host: here, pages: [['Editor', '/']] },
    {
      title: 'With the simulated phone:',
      host: here,
      pages: [...simulatedPages.filter(isServed), ...phones],
    },
    {
      title: 'With a passkey of your own, in this order:',
      // Passkeys need a name.
      host: `http://localhost:${port}`,
      pages: passkeyPages.filter(isServed),
      before: isServed(invitation) ? [invite] : [],
      hint:
        'It needs the browser of this computer, with a fingerprint, face or PIN; or a phone, with the account set to\n' +
        '  a Public URL that begins with https.',
    },
  ].filter(({ pages }) => pages.length > 0);
  for (const [, route] of sections.flatMap(({ pages }) => pages)) await answers(here + route, signal);
  if (signal.aborted) return;
  const lines = sections.flatMap(({ title, host, pages, before, hint }) => [
    '',
    ...(title === undefined ? [] : [`  ${title}`]),
    ...[...(before ?? []), ...pages.map(([name, route, note = '']) => [name, host + route + note])].map(
      ([name, what], index) => `  ${before === undefined ? '' : `${index + 1}. `}${name.padEnd(10)}  ${what}`,
    ),
    ...(hint === undefined ? [] : [`  ${hint}`]),
  ]);
  console.log([...lines, '', '  Ctrl+C stops it.', ''].join('\n'));
}

/** In the flows as they are now: since the first start the user may have added, changed, deleted or disabled nodes. */
function runningNodes() {
  try {
    const flows = JSON.parse(fs.readFileSync(flowFile, 'utf8'));
    const disabled = new Set(flows.filter((node) => node.disabled === true).map(({ id }) => id));
    return flows.filter((node) => node.d !== true && !disabled.has(node.z));
  } catch {
    // Node-RED says what is wrong with the file.
    return [];
  }
}

function isSimulator(node) {
  return isAccount(node) && (node.simulated === true || node.service === 'simulator');
}

/** Waits until Node-RED has started what is behind an address, but not for ever: it may not be able to. */
async function answers(address, signal) {
  let misses = 0;
  while (!signal.aborted && misses < 100) {
    const response = await fetch(address, { signal }).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok) return;
    if (response !== undefined) misses += 1;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
