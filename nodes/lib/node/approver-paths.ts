import type { Node, NodeAPI } from 'node-red';
import type { Account } from '../account/account';
import type { PageProblem } from '../approver/page-check';
import { flowNodes } from './flow-nodes';
import type { Claim, Instances } from './instances';
import { labelOf } from './labels';

/**
 * What the editor and its API have below their own address, as the first part of the path. A test compares it with Node-RED.
 *
 * Source: https://nodered.org/docs/api/admin/methods/, @node-red/editor-api 4.1 and 5.0
 */
export const editorPaths: readonly string[] = [
  ...['auth', 'comms', 'context', 'credentials', 'debug', 'diagnostics', 'flow', 'flows', 'icons', 'inject'],
  ...['library', 'locales', 'nodes', 'plugins', 'projects', 'red', 'resources', 'settings', 'theme', 'types'],
  ...['udp-ports', 'vendor', 'authy-config', 'authy-people', 'authy-simulator'],
];

type PathTaken = Extract<PageProblem, { readonly code: 'pathTaken' }>;

/** Those whose pages are served, or will be after the deploy: of several at one path, or one below the other, the first one. */
export function servedClaims(instances: Instances): Claim[] {
  const served: Claim[] = [];
  for (const claim of instances.claims()) {
    const { account } = claim;
    if (account.approver !== undefined && !served.some((other) => isInTheWay(other.account, account))) {
      served.push(claim);
    }
  }
  return served;
}

/** What is at the path of an account's page instead of the page; undefined if nothing is. */
export function pathTaken(RED: NodeAPI, instances: Instances, account: Account): PathTaken | undefined {
  const { approver } = account;
  if (approver === undefined) return undefined;
  const path = ownPath(RED, approver.host.settings.path);
  const served = servedClaims(instances).map((claim) => claim.account);
  const other = served.find((one) => one !== account && isInTheWay(one, account));
  const name = other?.approver?.host.settings.name;
  // That comes first: people would be led to the page of another account.
  if (name !== undefined) return { code: 'pathTaken', why: 'account', path, account: name };
  return isOfEditor(RED, path) ? { code: 'pathTaken', why: 'editor', path } : undefined;
}

/** What is to be done about it, as a sentence. */
export function pathRemedy(RED: NodeAPI, taken: PathTaken): string {
  const label = labelOf(RED, 'authy-config', 'approverPath');
  return taken.why === 'editor'
    ? `Choose another “${label}” in the account, such as /approve: at ${taken.path} the editor of this Node-RED answers. ` +
        'Or give the editor an address of its own: httpAdminRoot in settings.js.'
    : `Choose another “${label}” in the account: at ${taken.path} the page of the account "${taken.account}" answers, and ` +
        'nobody could answer this one.';
}

/** What is to be done where the page of an account hides what an "http in" node of a flow serves, as a sentence. */
export function hiddenRemedy(RED: NodeAPI, { approver }: Account): string | undefined {
  if (approver === undefined) return undefined;
  const { path } = approver.host.settings;
  const hidden = flowNodes(RED)
    .filter(({ id, type }) => type === 'http in' && isRunning(RED, id))
    .map(({ url, method }) => ({ url: `/${String(url)}`.replace(/^\/+/, '/'), method }))
    .find((route) => hides(path, route))?.url;
  const label = labelOf(RED, 'authy-config', 'approverPath');
  return (
    hidden &&
    `Choose another “${label}” in the account, or another URL in the “http in” node: this page hides what that serves at ${hidden}.`
  );
}

/** Whether a page answers what is meant for a route: at its own path, its API, and whatever is more than reading. */
function hides(path: string, { url, method }: { readonly url: string; readonly method: unknown }): boolean {
  const rest = url.slice(path.length);
  return isBelow(url, path) && (method !== 'get' || rest === '' || rest === '/' || rest.startsWith('/api/'));
}

function isRunning(RED: NodeAPI, id: string): boolean {
  // The types say a node is always found.
  return (RED.nodes.getNode(id) as Node | null) !== null;
}

/** Where a path of the http in nodes is in Node-RED, without a slash at its end. */
export function ownPath(RED: NodeAPI, path: string): string {
  const { httpNodeRoot } = RED.settings as { httpNodeRoot?: string | false };
  return `${rootOf(httpNodeRoot)}${path}`;
}

function isOfEditor(RED: NodeAPI, path: string): boolean {
  const { httpAdminRoot } = RED.settings as { httpAdminRoot?: string | false };
  if (httpAdminRoot === false) return false;
  const root = rootOf(httpAdminRoot);
  if (!isBelow(path, root)) return false;
  const [, first = ''] = path.slice(root.length).toLowerCase().split('/');
  return first === '' || editorPaths.includes(first);
}

/** An address of Node-RED's settings, with a slash at its beginning and none at its end; empty if it is the whole server. */
function rootOf(root: string | false | undefined): string {
  const parts = (root === false ? '' : (root ?? '')).split('/').filter(Boolean);
  return parts.map((part) => `/${part}`).join('');
}

function isInTheWay({ approver: one }: Account, { approver: other }: Account): boolean {
  if (one === undefined || other === undefined) return false;
  const [path, otherPath] = [one.host.settings.path, other.host.settings.path];
  return isBelow(path, otherPath) || isBelow(otherPath, path);
}

/** Whether an address is a path or below it. As Express reads them by default, capitals do not matter. */
export function isBelow(url: string, path: string): boolean {
  return url.toLowerCase().startsWith(path.toLowerCase()) && /^(?:[/?]|$)/.test(url.slice(path.length));
}
