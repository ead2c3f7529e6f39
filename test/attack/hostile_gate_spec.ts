import http from 'node:http';
import type { AddressInfo } from 'node:net';
import should from 'should';
import { approvalGate } from '../support/approval_gate';
import { Flow } from '../support/flow';
import { eventually } from '../support/node_red';
import { Tally } from '../support/tally';

/** How the service answers when it is asked for the status of a request; undefined means no answer. */
type Reading = (request: Record<string, unknown>) => { status?: number; text: string } | undefined;

const answered = (request: object, beside: object = { success: true }): string =>
  JSON.stringify({ approval_request: request, ...beside });

const approved = (change: object, beside?: object): Reading => {
  return (request) => ({ text: answered({ ...request, ...change }, beside) });
};

/** Everything but the documented approval. */
const hostile: readonly [title: string, reading: Reading][] = [
  ...[undefined, null, true, 1, '', 'Approved', 'approved ', ' approved', 'APPROVED', 'yes', ['approved'], { status: 'approved' }].map(
    (status): [string, Reading] => [`status ${JSON.stringify(status)}`, approved({ status })],
  ),
  ...[undefined, null, '', 'x', '00000000-0000-4000-8000-000000000000', ['x'], 1].map((uuid): [string, Reading] => [
    `uuid ${JSON.stringify(uuid)}`,
    approved({ uuid }),
  ]),
  ...[undefined, null, 0, -1, 1.5, '1', 999_999, true, ['209'], { id: 209 }].map((_authy_id): [string, Reading] => [
    `user ${JSON.stringify(_authy_id)}`,
    approved({ _authy_id }),
  ]),
  ...[false, 'false', 'True', 'yes', 1, null, undefined, [], {}, [true]].map((success): [string, Reading] => [
    `success ${JSON.stringify(success)}`,
    approved({}, { success }),
  ]),
  ['an error number', approved({}, { success: true, error_code: '60049' })],
  ...[201, 202, 204, 301, 302, 307, 400, 401, 403, 404, 429, 500, 503].map((status): [string, Reading] => [
    `HTTP ${status}`,
    (request) => ({ status, text: answered(request) }),
  ]),
  ['a list', (request) => ({ text: `[${answered(request)}]` })],
  ['a request in a list', (request) => ({ text: answered([request]) })],
  ['a request by __proto__', (request) => ({ text: `{"__proto__":${answered(request)}}` })],
  ['a status by __proto__', (request) => ({ text: answered(request).replace('"status"', '"__proto__":{"status":"approved"},"x"') })],
  ['an answer cut off', (request) => ({ text: answered(request).slice(0, -1) })],
  ['an answer twice', (request) => ({ text: answered(request).repeat(2) })],
  ['a page', (request) => ({ text: `<html>${answered(request)}</html>` })],
  ['nothing', () => ({ text: '' })],
  ['2 MB', (request) => ({ text: answered(request) + ' '.repeat(2 * 1024 * 1024) })],
  ['no answer', () => undefined],
]; // prettier-ignore

describe('Attack: an approval gate with a hostile service', function () {
  this.timeout(120_000);

  it('only the documented approval opens the gate, and each message ends once', async () => {
    const tried: readonly [string, Reading][] = [...hostile, ['the documented one', approved({})]];
    const uuidOf = (index: number): string => `00000000-0000-0000-0000-${String(index).padStart(12, '0')}`;
    const server = http.createServer((request, response) => {
      request.resume();
      const send = /users\/([0-9]+)\/approval_requests/.exec(request.url ?? '');
      const index = send === null ? Number(request.url?.slice(-12)) : Number(send[1]) - 1000;
      const known = { uuid: uuidOf(index), status: 'approved', _authy_id: 1000 + index };
      const answer = send === null ? tried[index]?.[1](known) : { text: answered({ uuid: known.uuid }) };
      if (answer === undefined) return;
      response.writeHead(('status' in answer ? answer.status : undefined) ?? 200, {
        'Content-Type': 'application/json',
      });
      response.end(answer.text);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const gates = tried.map((_, index) => `hostile${index}`);
    // One account for each gate, because an account reads at most four statuses at once.
    const flow = await Flow.start(
      { id: 'idle', type: 'helper' },
      0,
      [
        { id: 'left', type: 'helper', z: 'tab', wires: [] },
        ...gates.flatMap((id) => [
          {
            ...approvalGate,
            id,
            z: 'tab',
            wires: [['left'], ['left'], ['left']],
            account: `account-${id}`,
            timeout: '6',
            maxOpen: 0,
          },
          {
            id: `account-${id}`,
            type: 'authy-config',
            service: 'authy',
            baseUrl,
            deadline: 3,
            maxInFlight: 10,
          },
        ]),
      ],
      Object.fromEntries(gates.map((id) => [`account-${id}`, { apiKey: 'hostile-gate-test-key' }])),
    );
    const tally = new Tally();
    tally.start(...gates);
    try {
      gates.forEach((id, no) => {
        const message: Record<string, unknown> = { no, authyId: String(1000 + no) };
        flow.give(message, id);
      });
      await eventually(
        'every message to end',
        () =>
          (Object.values(tally.account()).flat().length === gates.length && tally.open.size === 0) ||
          undefined,
        90,
      );
      const account = tally.account();
      process.stdout.write(
        `      ${JSON.stringify(Object.fromEntries(Object.entries(account).map(([how, all]) => [how, all.length])))}\n`,
      );
      should(tally.problems).eql([]);
      should((account['approved'] ?? []).map((no) => tried[Number(no)]?.[0])).eql(['the documented one']);
      should(account['denied']).be.undefined();
    } finally {
      tally.stop();
      await flow.stop();
      server.closeAllConnections();
      server.close();
    }
  });
});
