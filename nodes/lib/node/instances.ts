import type { Node, NodeAPI } from 'node-red';
import type { Account } from '../account/account';
import type { AccountCredentials } from './account-settings';

/** A node that is an account, as Node-RED runs it. */
export type AccountNode = Node<AccountCredentials> & {
  account: Account;
  /** In an instance of a subflow: the id in the subflow itself, which the editor knows. */
  _alias?: string;
};

/** An account that runs. */
export interface Instance {
  readonly id: string;
  /** The id by which the editor knows it: in a subflow, the one of all its instances. */
  readonly editorId: string;
  /** The name of the account itself; empty if it has none. */
  readonly accountName: string;
  /** The name of the subflow's instance that it runs in; empty if it runs in none. */
  readonly name: string;
  readonly account: Account;
}

/** The accounts that run: one in a subflow runs once for each instance of it. */
export class Instances {
  private readonly nodes = new Set<AccountNode>();
  /** By the id that the editor has: when it was first started. A deploy that starts it again changes nothing. */
  private readonly ranks = new Map<string, number>();
  private started = 0;

  add(node: AccountNode): void {
    this.nodes.add(node);
    const id = editorIdOf(node);
    if (!this.ranks.has(id)) this.ranks.set(id, (this.started += 1));
  }

  /** @param removed - whether it was deleted: another one with its id would be new */
  remove(node: AccountNode, removed: boolean): void {
    this.nodes.delete(node);
    const id = editorIdOf(node);
    if (removed && this.ordered().every((other) => editorIdOf(other) !== id)) this.ranks.delete(id);
  }

  /** All accounts that run, in the order in which they were first started. */
  accounts(): Account[] {
    return this.ordered().map(({ account }) => account);
  }

  /**
   * The running instances of an account.
   *
   * @param id - as the editor has it, or an instance's
   */
  of(RED: NodeAPI, id: string): Instance[] {
    return this.all(RED).filter((one) => one.id === id || one.editorId === id);
  }

  /** All that run, in the order in which they were first started. */
  all(RED: NodeAPI): Instance[] {
    return this.ordered().map((node) => instanceOf(RED, node));
  }

  private ordered(): AccountNode[] {
    const rankOf = (node: AccountNode): number => this.ranks.get(editorIdOf(node)) ?? Infinity;
    return [...this.nodes].sort((one, other) => rankOf(one) - rankOf(other));
  }
}

function editorIdOf({ id, _alias = id }: AccountNode): string {
  return _alias;
}

function instanceOf(RED: NodeAPI, node: AccountNode): Instance {
  const { id, name = '', account } = node;
  return { id, editorId: editorIdOf(node), accountName: name, name: nameOf(RED, node), account };
}

/** The names of the subflow's instance and of those around it, the outermost first. */
function nameOf(RED: NodeAPI, node: Pick<Node, 'z'>): string {
  // The types say a node is always found; a flow is none.
  const around = RED.nodes.getNode(node.z) as Node | null;
  if (around === null) return '';
  return [nameOf(RED, around), around.name || around.id].filter((name) => name !== '').join(' / ');
}

/** Whether the node that the editor knows under an id is in a subflow, used or not. */
export function isInSubflow(RED: NodeAPI, id: string): boolean {
  const places = new Map<string, string>();
  const subflows = new Set<string>();
  RED.nodes.eachNode(({ id: each, type, z }) => {
    places.set(each, z);
    if (type === 'subflow') subflows.add(each);
  });
  return subflows.has(places.get(id) ?? '');
}
