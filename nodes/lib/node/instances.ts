import type { Node, NodeAPI } from 'node-red';
import type { Account } from '../account/account';
import type { AccountCredentials } from './account-settings';
import { deploysOf } from './deploys';

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
  /** By the id that the editor has: the place of each node of the flows. Undefined until it is asked for. */
  private places: ReadonlyMap<string, number> | undefined;

  constructor(private readonly RED: NodeAPI) {
    deploysOf(RED).onEnd(() => (this.places = undefined));
  }

  add(node: AccountNode): void {
    this.nodes.add(node);
    this.places = undefined;
  }

  remove(node: AccountNode): void {
    this.nodes.delete(node);
  }

  /** All accounts that run, in the order of the flows: when one was started, and how often, changes nothing. */
  accounts(): Account[] {
    return this.ordered().map(({ account }) => account);
  }

  /**
   * The running instances of an account.
   *
   * @param id - as the editor has it, or an instance's
   */
  of(RED: NodeAPI, id: string): Instance[] {
    const found = this.ordered().filter((node) => node.id === id || editorIdOf(node) === id);
    return found.map((node) => instanceOf(RED, node));
  }

  /** All that run, in the order of the flows. */
  all(RED: NodeAPI): Instance[] {
    return this.ordered().map((node) => instanceOf(RED, node));
  }

  /** Those of one subflow in the order of its instances, or by their ids, which stay the same. */
  private ordered(): AccountNode[] {
    const places = (this.places ??= placesIn(this.RED));
    const placeOf = (id: string): number => places.get(id) ?? Number.MAX_SAFE_INTEGER;
    return [...this.nodes].sort(
      (one, other) =>
        placeOf(editorIdOf(one)) - placeOf(editorIdOf(other)) ||
        placeOf(one.z) - placeOf(other.z) ||
        (one.id < other.id ? -1 : 1),
    );
  }
}

/** As the flows are deployed, and as the editor has them: both take the first of two accounts. */
function placesIn(RED: NodeAPI): Map<string, number> {
  const places = new Map<string, number>();
  RED.nodes.eachNode(({ id }) => void places.set(id, places.size));
  return places;
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
