import type { Node, NodeAPI } from 'node-red';
import type { Account } from '../account/account';
import type { AccountCredentials } from './account-settings';
import { deploysOf } from './deploys';
import { flowNodes } from './flow-nodes';

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

/** An account that has a place of its own in Node-RED, such as the path of its page. */
export interface Claim {
  readonly account: Account;
  /** Whether it runs. If not, it was stopped by the deploy that is under way, and may be there again in a moment. */
  readonly isRunning: boolean;
}

/** The accounts that run: one in a subflow runs once for each instance of it. */
export class Instances {
  private readonly nodes = new Set<AccountNode>();
  /** By their ids, those that were stopped by the deploy that is under way, and have not been started again. */
  private readonly stopped = new Map<string, AccountNode>();
  /** By the id that the editor has: the place of each node of the flows. Undefined until it is asked for. */
  private places: ReadonlyMap<string, number> | undefined;

  constructor(private readonly RED: NodeAPI) {
    deploysOf(RED).onEnd(() => {
      this.places = undefined;
      this.stopped.clear();
    });
  }

  add(node: AccountNode): void {
    this.nodes.add(node);
    this.places = undefined;
    this.stopped.delete(node.id);
  }

  remove(node: AccountNode): void {
    this.nodes.delete(node);
    if (deploysOf(this.RED).isUnderWay) this.stopped.set(node.id, node);
  }

  /**
   * All accounts that have a claim, in the order of the flows: when one was started, and how often, changes nothing. While a deploy
   * is under way, what it has stopped keeps its claim, so that nobody else has it for that moment.
   */
  claims(): Claim[] {
    const all = this.ordered([...this.nodes, ...this.stopped.values()]);
    return all.map((node) => ({ account: node.account, isRunning: this.nodes.has(node) }));
  }

  /**
   * The running instances of an account.
   *
   * @param id - as the editor has it, or an instance's
   */
  of(id: string): Instance[] {
    return this.all().filter((one) => one.id === id || one.editorId === id);
  }

  /** All that run, in the order of the flows. */
  all(): Instance[] {
    return this.ordered([...this.nodes]).map((node) => instanceOf(this.RED, node));
  }

  /** Those of one subflow in the order of its instances, or by their ids, which stay the same. */
  private ordered(nodes: readonly AccountNode[]): AccountNode[] {
    const places = (this.places ??= placesIn(this.RED));
    const placeOf = (id: string): number => places.get(id) ?? Number.MAX_SAFE_INTEGER;
    return [...nodes].sort(
      (one, other) =>
        placeOf(editorIdOf(one)) - placeOf(editorIdOf(other)) ||
        placeOf(one.z) - placeOf(other.z) ||
        (one.id < other.id ? -1 : 1),
    );
  }
}

/** The config nodes that an account refers to. */
const references = ['tls', 'proxy'] as const;

/**
 * Whenever the editor loads the flows, it puts what refers to a config node further down behind all others, and the next deploy brings
 * them here in that order. So they stand there from the beginning: no such deploy changes anything.
 */
function placesIn(RED: NodeAPI): Map<string, number> {
  const nodes = flowNodes(RED);
  const places = new Map(nodes.map(({ id }, index) => [id, index]));
  for (const [index, node] of nodes.entries()) {
    const referred = references.map((name) => places.get(String(node[name])) ?? -1);
    if (referred.some((place) => place > index)) places.set(node.id, index + nodes.length);
  }
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
