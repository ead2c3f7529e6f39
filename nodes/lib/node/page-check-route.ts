import type { NodeAPI } from 'node-red';
import type { Account } from '../account/account';
import { checkPage, type PageCheck, uncheckedPage } from '../approver/page-check';
import { ownAddress } from '../server/own-server';
import { ownPath, pathTaken } from './approver-paths';
import { serveJson } from './json-route';
import { isInSubflow } from './flow-nodes';
import type { Instances } from './instances';

/** What the panel shows. */
type Answer = PageCheck & {
  /** The name of the subflow's instance, if the account runs in several. */
  readonly instance?: string;
};

/**
 * `POST authy-config/page` for the panel's button: `{id}` → {@link PageCheck}. It is about the account that runs: the browser
 * never chooses an address that Node-RED calls. Of several instances of a subflow, the first that does not work is shown.
 */
export function servePageCheck(RED: NodeAPI, instances: Instances): void {
  serveJson(RED, 'authy-config/page', 'authy-config.write', ({ id }) =>
    check(RED, instances, typeof id === 'string' ? id : ''),
  );
}

async function check(RED: NodeAPI, instances: Instances, id: string): Promise<Answer> {
  const running = instances.of(id);
  const [first, ...others] = await Promise.all(
    running.map(async ({ name, account }) => ({
      ...(await checkAccount(RED, instances, account)),
      ...(running.length > 1 && { instance: name }),
    })),
  );
  if (first === undefined) return uncheckedPage({ code: isInSubflow(RED, id) ? 'notUsed' : 'notDeployed' });
  return [first, ...others].find(({ ok }) => !ok) ?? first;
}

async function checkAccount(RED: NodeAPI, instances: Instances, account: Account): Promise<PageCheck> {
  const { approver } = account;
  if (approver === undefined) return uncheckedPage({ code: 'noPage' });
  const { httpNodeRoot } = RED.settings as { httpNodeRoot?: string | false };
  if (httpNodeRoot === false) return uncheckedPage({ code: 'noHttpNodes' });
  const taken = pathTaken(RED, instances, account);
  if (taken !== undefined) return uncheckedPage(taken);
  const { path } = approver.host.settings;
  return checkPage(approver, {
    ownPath: ownPath(RED, path),
    certificates: ownAddress(RED, path)?.certificates,
  });
}
