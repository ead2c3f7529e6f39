// Prints what the editor and its API have below their own address, as the first part of each path: a list as JSON.
// Arguments: the folder of Node-RED, a user directory.
const fs = require('node:fs');
const http = require('node:http');
const { createRequire } = require('node:module');
const path = require('node:path');

const [, folder, userDir] = process.argv;
const ofNodeRed = createRequire(path.join(folder, 'package.json'));
/** What was mounted in each application: Express does not tell it of applications within others. */
const mounted = new Map();
const applications = ['@node-red/editor-api', '@node-red/runtime'].map(
  (module) => createRequire(ofNodeRed.resolve(module))('express').application,
);
for (const application of new Set(applications)) {
  for (const method of ['use', 'all', ...http.METHODS.map((name) => name.toLowerCase())]) {
    const original = application[method];
    if (original === undefined) continue;
    application[method] = function (...args) {
      // With one argument, `get` reads a setting.
      if (method === 'use' || args.length > 1) mounted.set(this, [...(mounted.get(this) ?? []), args]);
      return original.apply(this, args);
    };
  }
}

const found = new Set();

function walk(app) {
  for (const [first, ...others] of mounted.get(app) ?? []) {
    const isPath = typeof first === 'string' || first instanceof RegExp;
    const text = typeof first === 'string' ? first : isPath ? first.source : '/';
    // A path, or the pattern of one.
    const [, name] = /^\^?\\?\/([\w-]+)/.exec(text) ?? [];
    if (name !== undefined) found.add(name);
    else if (text === '/') for (const one of isPath ? others : [first, ...others]) walk(one);
  }
}

const RED = ofNodeRed('node-red');
RED.init(http.createServer(), {
  userDir,
  httpAdminRoot: '/',
  httpNodeRoot: '/',
  logging: { console: { level: 'off' } },
});

RED.start().then(() => {
  walk(RED.httpAdmin);
  const client = path.dirname(ofNodeRed.resolve('@node-red/editor-client/package.json'));
  for (const entry of fs.readdirSync(path.join(client, 'public'))) found.add(entry);
  process.stdout.write(JSON.stringify([...found]));
  process.exit(0);
});
