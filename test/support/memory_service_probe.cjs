/*
 * Runs inside of a Node-RED, before it (`--require`), and adds a service to our package: people, codes and approvals in
 * memory. What comes to a phone is a line in the file MEMORY_SERVICE; a file beside it, named after the request, is the
 * person's answer.
 */
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const userDir = process.argv[process.argv.indexOf('-u') + 1];
const lib = path.join(userDir, 'node_modules', '@flowauth', 'node-red-authy', 'dist', 'lib');
const { operations } = require(path.join(lib, 'contract', 'operations.js'));
const { addService } = require(path.join(lib, 'services', 'registry.js'));

const phone = process.env.MEMORY_SERVICE;
const toPhone = (message) => fs.appendFileSync(phone, `${JSON.stringify(message)}\n`);
const answerTo = (id) =>
  fs.existsSync(`${phone}.${id}`) ? fs.readFileSync(`${phone}.${id}`, 'utf8') : 'pending';

const codes = new Map();
const asked = new Map();

function sendCode(authyId, via) {
  codes.set(authyId, String(crypto.randomInt(1_000_000, 9_999_999)));
  toPhone({ via, code: codes.get(authyId) });
}

const sentCode = { sent: true, ignored: false, maskedPhone: null, device: null };
const unknown = { notified: null, createdAt: null, processedAt: null, secondsToExpire: null };

const handlers = {
  userCreate: ({ phoneNumber, countryCode }) => ({
    outcome: 'created',
    result: { authyId: phoneNumber.slice(1), phoneNumber, countryCode },
  }),
  tokenSms({ authyId }) {
    sendCode(authyId, 'sms');
    return { outcome: 'sent', result: { authyId, ...sentCode } };
  },
  tokenCall({ authyId }) {
    sendCode(authyId, 'call');
    return { outcome: 'sent', result: { authyId, ...sentCode } };
  },
  tokenEmail({ authyId }) {
    sendCode(authyId, 'email');
    return { outcome: 'sent', result: { authyId, sent: true, email: null, emailId: null } };
  },
  tokenVerify({ authyId, token }) {
    const valid = codes.get(authyId) === token;
    const result = { authyId, valid, reason: valid ? null : 'wrong', device: null };
    return { outcome: valid ? 'valid' : 'invalid', result };
  },
  onetouchSend({ authyId }) {
    const approvalId = crypto.randomUUID();
    asked.set(approvalId, authyId);
    toPhone({ via: 'approval', approvalId });
    return { outcome: 'sent', result: { approvalId, authyId, status: 'pending' } };
  },
  onetouchStatus({ approvalId }) {
    const status = answerTo(approvalId);
    const result = { approvalId, authyId: asked.get(approvalId), status, ...unknown };
    return { outcome: status, result };
  },
};

addService({
  id: 'memory',
  abilities: Object.fromEntries(
    Object.keys(operations).map((name) => [
      name,
      handlers[name] ? {} : { unsupported: `Leave out ${name}.` },
    ]),
  ),
  answersByHttp: {},
  settings: [],
  credentials: [],
  read: () => ({ name: 'memory', warnings: [], isSimulated: false }),
  open: async () => ({
    phones: 'possible',
    perform: async (name, values) => handlers[name](values),
    test: async () => 'memory',
    close() {},
  }),
});
