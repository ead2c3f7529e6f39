import type { Node, NodeAPI, NodeStatusFill } from 'node-red';
import { AuthyError } from './authy/errors';
import type { ServiceName } from './service';

const catalogue = '@flowauth/node-red-authy/authy-config:status';

type Shown = { fill: NodeStatusFill; shape: 'dot' | 'ring'; text: string };

/**
 * The status below a node: blue and counting while calls are under way or messages wait, then the last outcome. The
 * words are translated here, in the language of the server, so that Status nodes receive words and not keys.
 */
export class Badge {
  private underWay = 0;
  private waitingFor = 0;
  private last: Shown | undefined;

  /** @param serviceName - asked each time, since the account may change with a deploy */
  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
    private readonly serviceName: () => ServiceName | undefined,
  ) {}

  /** A call begins. */
  begin(): void {
    this.underWay += 1;
    this.show();
  }

  /** A call ended, and its outcome is still to come. */
  end(): void {
    this.underWay = Math.max(0, this.underWay - 1);
    this.show();
  }

  /** A call ended with an outcome, `word` being its key in the catalogue. */
  outcome(fill: NodeStatusFill, word: string): void {
    this.last = { fill, shape: 'dot', text: this.word(word) };
    this.end();
  }

  /** A call ended with an error. */
  error(error: unknown): void {
    const key =
      error instanceof AuthyError ? `error.${error.code.replace(/^AUTHY_/, '')}` : 'error.UNEXPECTED';
    this.last = { fill: 'red', shape: 'ring', text: this.word(key) };
    this.end();
  }

  /** So many messages wait for something that comes later than the call. */
  waiting(count: number): void {
    this.waitingFor = count;
    this.show();
  }

  /** A message that waited has its outcome. */
  decided(fill: NodeStatusFill, word: string): void {
    this.last = { fill, shape: 'dot', text: this.word(word) };
    this.show();
  }

  /** Nothing is shown any more. */
  clear(): void {
    this.underWay = 0;
    this.waitingFor = 0;
    this.last = undefined;
    this.node.status({});
  }

  private show(): void {
    const shown = this.current();
    if (shown === undefined) {
      this.node.status({});
      return;
    }
    const suffix = this.serviceName() === 'simulator' ? ` · ${this.word('simulator')}` : '';
    this.node.status({ ...shown, text: shown.text + suffix });
  }

  private current(): Shown | undefined {
    if (this.underWay > 0) return this.counted('dot', 'sending', this.underWay);
    if (this.waitingFor > 0) return this.counted('ring', 'waiting', this.waitingFor);
    return this.last;
  }

  private counted(shape: 'dot' | 'ring', word: string, count: number): Shown {
    return { fill: 'blue', shape, text: this.word(word) + (count > 1 ? ` (${count})` : '') };
  }

  private word(key: string): string {
    return this.RED._(`${catalogue}.${key}`);
  }
}
