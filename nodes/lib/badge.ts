import type { Node, NodeAPI, NodeStatusFill } from 'node-red';
import { AuthyError } from './authy/errors';
import type { ServiceName } from './service';

const catalogue = '@flowauth/node-red-authy/authy-config:status';

/**
 * The status below a node: blue and counting while calls are under way, then the last outcome. The words are
 * translated here, in the language of the server, so that Status nodes receive words and not keys.
 */
export class Badge {
  private underWay = 0;

  /** @param serviceName - asked each time, since the account may change with a deploy */
  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
    private readonly serviceName: () => ServiceName | undefined,
  ) {}

  /** A call begins. */
  begin(): void {
    this.underWay += 1;
    this.showUnderWay();
  }

  /** A call ended with an outcome, `word` being its key in the catalogue. */
  outcome(fill: NodeStatusFill, word: string): void {
    this.end(fill, 'dot', this.word(word));
  }

  /** A call ended with an error. */
  error(error: unknown): void {
    const key =
      error instanceof AuthyError ? `error.${error.code.replace(/^AUTHY_/, '')}` : 'error.UNEXPECTED';
    this.end('red', 'ring', this.word(key));
  }

  /** Nothing is shown any more. */
  clear(): void {
    this.underWay = 0;
    this.node.status({});
  }

  private end(fill: NodeStatusFill, shape: 'dot' | 'ring', text: string): void {
    this.underWay = Math.max(0, this.underWay - 1);
    if (this.underWay > 0) this.showUnderWay();
    else this.show(fill, shape, text);
  }

  private showUnderWay(): void {
    const count = this.underWay > 1 ? ` (${this.underWay})` : '';
    this.show('blue', 'dot', this.word('sending') + count);
  }

  private show(fill: NodeStatusFill, shape: 'dot' | 'ring', text: string): void {
    const suffix = this.serviceName() === 'simulator' ? ` · ${this.word('simulator')}` : '';
    this.node.status({ fill, shape, text: text + suffix });
  }

  private word(key: string): string {
    return this.RED._(`${catalogue}.${key}`);
  }
}
