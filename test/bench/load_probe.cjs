// Loads something in an otherwise empty process, and prints the processor time that took, in milliseconds: the node
// modules of the package as Node-RED loads them, or axios alone.
const path = require('node:path');

const root = path.resolve(__dirname, '..', '..');
const { 'node-red': contents } = require('../../package.json');
const files = Object.values(contents.nodes).map((file) => path.join(root, file));

/** The part of Node-RED that node modules use while they are loaded. */
const registered = [];
const nothing = () => undefined;
const RED = {
  nodes: { registerType: (type) => registered.push(type) },
  httpAdmin: { get: nothing, post: nothing, put: nothing, delete: nothing, use: nothing },
  httpNode: { use: nothing },
  log: { audit: nothing },
  auth: { needsPermission: () => nothing },
  events: { on: nothing, once: nothing, off: nothing },
  settings: {},
  _: (key) => key,
};

const loads = {
  package() {
    for (const file of files) require(file)(RED);
    if (registered.length !== files.length) throw new Error(`Only these were registered: ${registered}.`);
  },
  axios: () => require('axios'),
};

const load = loads[process.argv[2]];
const before = process.cpuUsage();
load();
const { user, system } = process.cpuUsage(before);
process.stdout.write(String((user + system) / 1000));
