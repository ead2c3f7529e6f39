import type { AuthyClient, CallOptions } from '../services/authy/client';
import type { JsonObject } from '../http/response';
import { type Operation, type OperationName, operations, readInputs, type ResultOf } from './operations';

export type ServiceName = 'authy' | 'simulator';

/** What an operation came to. */
export interface Performed<N extends OperationName = OperationName> {
  /** A key of the operation's `outcomes`. */
  outcome: string;
  result: ResultOf<N>;
  statusCode: number;
  /** The answer as it came, parsed, without the secrets that it repeats. */
  response: JsonObject;
}

/**
 * What nodes depend on: "perform this operation with these inputs", whoever carries it out. Authy and the
 * simulator speak one protocol; another service brings an implementation of its own.
 */
export interface Service {
  readonly name: ServiceName;
  /**
   * Performs an operation.
   *
   * @param inputs - by name, not yet validated
   * @throws AuthyError
   */
  perform<N extends OperationName>(
    name: N,
    inputs: Readonly<Record<string, unknown>>,
    options?: CallOptions,
  ): Promise<Performed<N>>;
  /** Frees what is held between calls. */
  close(): void;
}

/** A service that speaks Authy's protocol. */
export class AuthyService implements Service {
  constructor(
    readonly name: ServiceName,
    private readonly client: AuthyClient,
  ) {}

  async perform<N extends OperationName>(
    name: N,
    inputs: Readonly<Record<string, unknown>>,
    options?: CallOptions,
  ): Promise<Performed<N>> {
    const operation: Operation = operations[name] as unknown as Operation;
    const { outcome, result, answer } = await this.client.call(
      operation.authy,
      // What listens on this machine is a simulator, whatever the account says: it knows made-up numbers, too.
      readInputs(operation, inputs, this.client.isLocal ? 'possible' : 'valid'),
      options,
    );
    return {
      outcome,
      result: result as ResultOf<N>,
      statusCode: answer.statusCode,
      response: answer.shown,
    };
  }

  close(): void {
    this.client.close();
  }
}
