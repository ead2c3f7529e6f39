import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { type Evaluator, prepareEvaluator, sourceOf, type TypedValue } from './evaluate';
import { isPublicUrl } from '../server/request-address';
import { flowNodes } from './flow-nodes';

const remedy = 'Set it, or leave the field blank to take the address of the request';

/** A variable that Node-RED did not replace, set or not: `${NAME}` or the older `$(NAME)`. */
const placeholder = /\$\{[^}]*\}|\$\([^)]*\)/;

/** A public URL that is set and cannot be read; the error does not show its content, which may be anything. */
export class PublicUrlUnknown extends Error {
  override readonly name = 'PublicUrlUnknown';

  constructor(why: string) {
    super(`Public URL: ${why}. ${remedy}`);
  }
}

/**
 * The public URL of a callback node's settings. Only a field that was left blank means the address of the request:
 * a value that cannot be read is an error, since anybody can write the request's `Host`.
 */
export class PublicUrl {
  /** Why no message can have one, if that is known before any message. */
  readonly problem: PublicUrlUnknown | undefined;
  private readonly evaluate: Evaluator | undefined;

  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
    private readonly setting: TypedValue,
  ) {
    if (this.isBlank()) return;
    try {
      this.evaluate = prepareEvaluator(RED, node, setting);
      if (setting.type === 'env') this.requireVariables();
      else if (!isLater(setting)) this.read(setting.value);
    } catch (error) {
      this.problem = this.unknown(error);
    }
  }

  /**
   * The public URL for a message.
   *
   * @returns undefined if the setting is blank; an error if it cannot be read
   */
  async of(message: NodeMessage): Promise<string | undefined | PublicUrlUnknown> {
    if (this.problem !== undefined || this.evaluate === undefined) return this.problem;
    try {
      return this.read(await this.evaluate(message));
    } catch (error) {
      return this.unknown(error);
    }
  }

  /** `${NAME}` with an empty variable is blank by now, though the field was filled in. */
  private isBlank(): boolean {
    const { value } = this.setting;
    return (value ?? '') === '' && !placeholder.test(this.asEntered());
  }

  /** The field as it was filled in: Node-RED has put variables in since. */
  private asEntered(): string {
    const { id, _alias } = this.node as Node & { _alias?: string };
    // Within a subflow each instance has its own ids.
    const entered = flowNodes(this.RED).find((node) => node.id === (_alias ?? id))?.['publicUrl'];
    return typeof entered === 'string' ? entered : '';
  }

  /** Node-RED does not replace a variable that is not set. */
  private requireVariables(): void {
    const text = String(this.setting.value);
    const inBraces = [...text.matchAll(/\$\{([^}]+)\}/g)].map(([, name]) => name);
    for (const name of inBraces.length > 0 ? inBraces : [text]) {
      const value: unknown = this.RED.util.evaluateNodeProperty(name ?? '', 'env', this.node, {});
      if (value === '') throw new PublicUrlUnknown(`the environment variable ${name ?? ''} is not set`);
    }
    this.read(this.RED.util.evaluateNodeProperty(text, 'env', this.node, {}));
  }

  private read(value: unknown): string {
    const url = typeof value === 'string' ? value.trim() : undefined;
    if (url !== undefined && isPublicUrl(url)) return url;
    throw new PublicUrlUnknown(this.wrong(value));
  }

  private wrong(value: unknown): string {
    const text = typeof value === 'string' ? value.trim() : '';
    const [left] = placeholder.exec(text) ?? [];
    if (left !== undefined && left === text) {
      return `the environment variable ${left.slice(2, -1)} is not set`;
    }
    if (left !== undefined) {
      return (
        'variables are put in only where they are the whole text; ' +
        'choose the type of an environment variable, which reads ${NAME} also within an address'
      );
    }
    const source = this.source();
    if (value === undefined || value === null || value === '') return `${source} is missing`;
    return `${source} is no address such as https://example.com/authy/callback`;
  }

  private source(): string {
    const { value, type } = this.setting;
    return type === 'env' ? `the environment variable ${String(value)}` : (sourceOf(this.setting) ?? 'it');
  }

  private unknown(error: unknown): PublicUrlUnknown {
    if (error instanceof PublicUrlUnknown) return error;
    const source = this.source();
    return new PublicUrlUnknown(`${source} cannot be evaluated (${(error as Error).message})`);
  }
}

/** Whether the value comes with the message, or may come with time. */
function isLater({ type }: TypedValue): boolean {
  return ['msg', 'flow', 'global', 'jsonata'].includes(type);
}
