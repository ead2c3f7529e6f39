import type { NodeAPI } from 'node-red';
import { callLimits } from '../contract/limits';
import type { Environment } from '../contract/service';
import { redirect, sendJson } from '../server/send';
import { phoneOf, serviceKind } from '../services/registry';
import { type AdminHandler, guarded } from './admin-guard';
import { deploysOf } from './deploys';
import { isInSubflow } from './flow-nodes';
import { type Instance, Instances } from './instances';
import { migrated } from './migrate';
import { servePageCheck } from './page-check-route';
import { servePhoneCode } from './phone-code-route';
import { type Sent, serveJson } from './json-route';
import { servePeople } from './people-routes';
import { serveSidebar } from './sidebar-routes';

/** The routes for the editor's requests about accounts. */
export function serveAccounts(RED: NodeAPI, instances: Instances): void {
  serveTestButton(RED, instances);
  serveAda(RED, instances);
  servePhone(RED, instances);
  servePhoneCode(RED, instances);
  servePeople(RED, instances);
  serveSidebar(RED, instances);
  servePageCheck(RED, instances);
}

/** Nothing could be tried. The panel says why in its own language. */
class NothingToTry extends Error {
  override readonly name = 'NothingToTry';

  constructor(
    readonly reason: 'deployFirst' | 'notUsed',
    message: string,
  ) {
    super(message);
  }
}

/**
 * `POST authy-config/test` for the panel's button: `{id, service, apiKey?}` → `{ok: true, name}` or
 * `{ok: false, reason?, message}`. The browser may try a key that is not deployed yet, but never choose the address.
 */
function serveTestButton(RED: NodeAPI, instances: Instances): void {
  serveJson(RED, 'authy-config/test', 'authy-config.write', async (sent) => {
    try {
      return { ok: true, name: await testAccount(RED, instances, sent) };
    } catch (error) {
      if (!(error instanceof NothingToTry)) throw error;
      const { reason, message } = error;
      return { ok: false, reason, message };
    }
  });
}

/**
 * `POST authy-config/ada` for those who try a simulator that knows nobody yet: `{id}` → `{ok: true, authyId}` of Ada, who is added
 * to its people. Nobody is ever added to an account that protects somebody.
 */
function serveAda(RED: NodeAPI, instances: Instances): void {
  serveJson(RED, 'authy-config/ada', 'authy-config.write', async ({ id }) => {
    const [instance, ...others] = instances.of(String(id));
    if (instance === undefined || others.length > 0)
      throw new Error('Deploy first: no such account runs, or it runs in several subflows.');
    const { account } = instance;
    if (!account.isSimulated) throw new Error('Choose an account with a simulator: Ada is not real.');
    const ada = { phoneNumber: '+13175550123', email: 'ada@example.com', sendInstallLink: false };
    const { result } = await account.perform('userCreate', await account.read('userCreate', ada));
    return { ok: true, authyId: result.authyId };
  });
}

async function testAccount(RED: NodeAPI, instances: Instances, sent: Sent): Promise<string> {
  const form = migrated(sent);
  const isSimulated = form['simulated'] === true;
  const kind = serviceKind(String(form['service']));
  if (kind === undefined) throw new Error('Choose the service of the account.');
  const id = typeof form['id'] === 'string' ? form['id'] : '';
  const deployed = instances
    .of(id)
    .filter(({ account }) => account.kindId === kind.id && account.isSimulated === isSimulated);
  const [one, ...others] = deployed;
  if (one !== undefined) {
    // Typed credentials are tried once; the stored ones of each instance may differ.
    return others.length === 0 || one.account.isTyped(form) ? one.account.test(form) : testAll(deployed);
  }
  const typed = kind.typed?.(undefined, form);
  if (typed === undefined && isInSubflow(RED, id)) {
    throw new NothingToTry(
      'notUsed',
      'Put the subflow into a flow and deploy: an account in a subflow runs where that is used.',
    );
  }
  if (isSimulated)
    throw new NothingToTry('deployFirst', 'Deploy first: the simulator starts when you deploy.');
  if (typed === undefined) throw new Error('Enter the API key first.');
  const trial = await kind.open(typed, trialEnvironment);
  try {
    return await trial.test();
  } finally {
    trial.close();
  }
}

/** Tests each instance, which may have its own key from the subflow's environment; names the one that fails. */
async function testAll(instances: readonly Instance[]): Promise<string> {
  const names = new Set<string>();
  for (const { name, account } of instances) {
    try {
      names.add(await account.test());
    } catch (error) {
      const { message } = error as Error;
      throw instances.length > 1 ? new Error(`${name}: ${message}`) : error;
    }
  }
  return [...names].join(', ');
}

/** The environment of an account that is not deployed yet. */
const trialEnvironment: Environment = {
  accountId: 'authy-config/test',
  deadline: callLimits.deadline * 1000,
  maxInFlight: 1,
  maxQueued: 0,
  log: () => undefined,
  people() {
    throw new Error('A trial needs nobody.');
  },
  approvals() {
    throw new Error('A trial asks nobody.');
  },
  recipientOf() {
    throw new Error('A trial has asked nobody.');
  },
  notifier: () => Promise.reject(new Error('A trial tells nobody.')),
  language: undefined,
};

/**
 * The phone of an account's simulator, behind the editor's own authentication: the page itself holds no data and is
 * served to anyone; its requests need the permission to read or to change accounts. The id that an account has in a
 * subflow leads to its only instance; if there are several, the answer is their list.
 */
function servePhone(RED: NodeAPI, instances: Instances): void {
  const route = /^\/authy-simulator\/([^/]+)(\/.*)$/;
  const read = guarded(RED, 'authy-config.read');
  const write = guarded(RED, 'authy-config.write');
  const serve: AdminHandler = (request, response, next) => {
    const [, id = '', place = ''] = route.exec(request.url) ?? [];
    const running = instances.of(id);
    const found = running.filter(({ id, account }) => account.isSimulated && phoneOf(id) !== undefined);
    // During a deploy an account has no instance, and its simulator runs on.
    const isThere = found.length > 0 || (running.length === 0 && deploysOf(RED).isUnderWay);
    const known = phoneOf(found[0]?.id ?? id);
    if (place === '/phone') {
      redirect(response, 'phone/');
    } else if (known !== undefined && place.startsWith('/phone/')) {
      // Also if the account has gone to another service meanwhile: the page says so.
      request.url = place.slice('/phone'.length);
      known.phonePage(request, response, next);
    } else if (known === undefined || !isThere) {
      const error =
        'No simulator runs for this account. Choose it in the account and deploy. ' +
        'An account in a subflow has one as soon as the subflow is used in a flow.';
      sendJson(response, 404, { error });
    } else {
      const permission = ['GET', 'HEAD'].includes(request.method) ? read : write;
      permission(request, response, (error?: unknown) => {
        if (error !== undefined) {
          next(error);
          return;
        }
        if (found.length > 1) {
          sendJson(response, 300, { instances: found.map(({ id, name }) => ({ id, name })) });
          return;
        }
        request.url = place;
        known.control(request, response, next);
      });
    }
  };
  // Without an editor Node-RED stands in an application that knows these four and not `use`.
  for (const method of ['get', 'post', 'put', 'delete'] as const) {
    RED.httpAdmin[method](route, serve);
  }
}
