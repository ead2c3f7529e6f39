import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NodeAPI } from 'node-red';
import type { Account } from '../account/account';
import { type AuthyError, refusedInput } from '../contract/errors';
import type { MountedRequest } from '../contract/request-handler';
import { exportPeople, type Imported, importPeople, type ListFormat } from '../people/transfer';
import { BodyTooLarge, readBody } from '../server/request-body';
import { sendJson } from '../server/send';
import { serviceKind } from '../services/registry';
import { guarded } from './admin-guard';
import { isInSubflow } from './flow-nodes';
import type { Instance, Instances } from './instances';
import { type Sent, serveJson } from './json-route';
import { migrated } from './migrate';

/** The largest list that is imported, in MB: 10,000 people with two authenticators each are 8 MB of JSON. */
const mostMegabytes = 10;

/** What the panel shows of an account's people. */
type About =
  | {
      readonly ok: true;
      /** One for each instance of the subflow that the account is in; one if it is in none. */
      readonly instances: readonly { readonly id: string; readonly name: string; readonly count: number }[];
      readonly mostMegabytes: number;
    }
  | {
      readonly ok: false;
      /** The account has no list: its service keeps nobody here, or it does not run as the panel has it. */
      readonly reason: 'keepsNobody' | 'notDeployed' | 'notUsed';
    };

/**
 * The routes for the row of an account's people. Those are the ones of the running account, so Node-RED need not be stopped.
 * Whatever cannot be done is answered with `{ok: false, message}`.
 *
 * - `POST authy-config/people`: `{id, service?, simulated?}` as the panel has them → {@link About}
 * - `POST authy-config/people/export`: `{id, format, secrets}` → `{ok: true, list, missing}`, with a sentence in `missing` for
 *   each person who cannot be read
 * - `POST authy-config/people/import?id=…&format=…&trial=…`: the list → `{ok: true, added, changed, unchanged}`; with nothing but
 *   `trial=false` is anything changed. The list is sent as `application/octet-stream`: what is sent as JSON, Node-RED reads by
 *   itself, up to the `apiMaxLength` of its settings.
 */
export function servePeople(RED: NodeAPI, instances: Instances): void {
  // Its types know no event.
  const audit = RED.log.audit as (event: object, request: IncomingMessage) => void;
  serveJson(RED, 'authy-config/people', 'authy-config.write', (sent) => about(RED, instances, sent));
  serveJson(RED, 'authy-config/people/export', 'authy-config.write', async (sent, request) => {
    const chosen = { format: formatOf(sent['format']), secrets: sent['secrets'] === true };
    const { id, account } = runningInstance(instances, sent['id']);
    const exported = await exportOf(account, chosen);
    audit({ event: 'authy-config.people.export', id, ...chosen }, request);
    return { ok: true, ...exported };
  });
  const imported = async (request: MountedRequest): Promise<object> => {
    const asked = new URL(request.url ?? '', 'http://localhost').searchParams;
    const bytes = await readBody(request, mostMegabytes * 1024 * 1024);
    const format = formatOf(asked.get('format'));
    const isTrial = asked.get('trial') !== 'false';
    const { id, account } = runningInstance(instances, asked.get('id'));
    const write = (facts: object): void => {
      if (!isTrial) audit({ event: 'authy-config.people.import', id, ...facts }, request);
    };
    try {
      const counts = await importInto(account, bytes, { format, isTrial });
      write(counts);
      return { ok: true, ...counts };
    } catch (error) {
      // Some may have been added. As Node-RED does it, with the code of the error.
      write({ error: (error as Partial<AuthyError>).code ?? 'unexpected_error' });
      throw error;
    }
  };
  const serveImport = (request: MountedRequest, response: ServerResponse): void => {
    if (!isBytes(request)) {
      sendJson(response, 415, { error: 'Content-Type has to be application/octet-stream.' });
      return;
    }
    imported(request).then(
      (answer) => sendJson(response, 200, answer),
      (error: unknown) => {
        if (error instanceof BodyTooLarge) sendJson(response, 413, { error: tooLarge });
        else sendJson(response, 200, { ok: false, message: (error as Error).message });
      },
    );
  };
  RED.httpAdmin.post('/authy-config/people/import', guarded(RED, 'authy-config.write'), serveImport);
}

const tooLarge =
  `list: divide it, or import it with the command authy-people: here it may have ${mostMegabytes} MB at most. ` +
  'Nobody was added.';

async function about(RED: NodeAPI, instances: Instances, sent: Sent): Promise<About> {
  const form = migrated(sent);
  const id = typeof form['id'] === 'string' ? form['id'] : '';
  // If the panel does not know the service, because a variable names it, that of the running account counts.
  const kind = serviceKind(String(form['service']));
  const running = instances
    .of(id)
    .filter(
      ({ account }) =>
        kind === undefined ||
        (account.kindId === kind.id && account.isSimulated === (form['simulated'] === true)),
    );
  const keepsNobody =
    kind === undefined ? running.some(({ account }) => !account.keepsPeople) : kind.keepsPeople !== true;
  if (keepsNobody) return { ok: false, reason: 'keepsNobody' };
  if (running.length === 0) return { ok: false, reason: isInSubflow(RED, id) ? 'notUsed' : 'notDeployed' };
  const counted = running.map(async ({ id, name, account }) => ({
    id,
    name,
    count: await account.people().count(),
  }));
  return { ok: true, instances: await Promise.all(counted), mostMegabytes };
}

/**
 * The account whose people are meant.
 *
 * @param id - of an instance that {@link about} has named
 * @throws AuthyError - `AUTHY_INVALID_INPUT` if none runs with this id, or it keeps nobody
 */
export function runningInstance(instances: Instances, id: unknown): Instance {
  const [instance, ...others] = instances.of(String(id));
  if (instance === undefined) throw refusedInput('id', 'Deploy the account first: none runs with this id.');
  if (others.length > 0) throw refusedInput('id', 'Name one instance of the subflow: it has several.');
  if (!instance.account.keepsPeople) {
    throw refusedInput('id', 'Choose another account: the service of this one keeps its users itself.');
  }
  return instance;
}

/** Only as a whole: a part of a list looks like all of it. */
async function exportOf(
  account: Account,
  chosen: { readonly format: ListFormat; readonly secrets: boolean },
): Promise<{ list: string; missing: readonly string[] }> {
  const missing: string[] = [];
  const parts: string[] = [];
  const tell = (sentence: string): void => void missing.push(sentence);
  for await (const part of exportPeople(account.people(), { ...chosen, tell })) parts.push(part);
  return { list: parts.join(''), missing };
}

function importInto(
  account: Account,
  list: Uint8Array,
  options: { readonly format: ListFormat; readonly isTrial: boolean },
): Promise<Imported> {
  // People try simulators with made-up numbers.
  const rule = account.isSimulated ? 'possible' : 'valid';
  return importPeople(account.people(), list, { ...options, rule });
}

function formatOf(format: unknown): ListFormat {
  if (format !== 'csv' && format !== 'json') throw refusedInput('format', 'Choose csv or json.');
  return format;
}

/** Whether a request says that it carries bytes, which no form can. */
function isBytes({ headers }: IncomingMessage): boolean {
  return headers['content-type'] === 'application/octet-stream';
}
