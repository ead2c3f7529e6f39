/*
 * Runs inside a Node-RED, before it (`--require`), and writes a line into the file WITNESS for each message that the
 * gate receives, that leaves it, and that reaches the node behind it: in the same turn, so that the process cannot end
 * before.
 */
const fs = require('node:fs');
const { createRequire } = require('node:module');

const file = fs.openSync(process.env.WITNESS, 'a');

function note(no, outcome) {
  fs.writeSync(file, `${JSON.stringify({ no, outcome })}\n`);
}

function outcomeOf(id, { payload, error }) {
  if (id === 'gate') return 'asked';
  if (id === 'failed') return error.code;
  return payload.reason === null ? payload.decision : `${payload.decision} ${payload.reason}`;
}

// At this point Node-RED is loaded, but its flows are not started.
setImmediate(() => {
  const { hooks } = createRequire(process.argv[1])('@node-red/util');
  hooks.add('onReceive.witness', ({ msg, destination }) => {
    if (!['gate', 'decided', 'failed'].includes(destination.id) || msg.no === undefined) return;
    note(msg.no, outcomeOf(destination.id, msg));
  });
  hooks.add('onSend.witness', (events) => {
    for (const { msg, source } of events) {
      if (source.id === 'gate' && msg.no !== undefined) note(msg.no, 'left');
    }
  });
});
