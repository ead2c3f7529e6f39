import type { ValuesOf } from '../../contract/operations';
import type { PhoneRule } from '../../contract/phone';
import type { OperationName } from '../../contract/results';
import type { CallOptions, Performed, Service } from '../../contract/service';
import type { AuthyClient } from './client';
import { type EndpointOf, endpoints } from './endpoints';

/** Authy, or a server that speaks its protocol. */
export class AuthyService implements Service {
  constructor(private readonly client: AuthyClient) {}

  /** A server on this machine is a simulator, whatever the account says: it accepts made-up numbers, too. */
  get phones(): PhoneRule {
    return this.client.isLocal ? 'possible' : 'valid';
  }

  async perform<N extends OperationName>(
    name: N,
    values: ValuesOf<N>,
    options: CallOptions = {},
  ): Promise<Performed<N>> {
    // The table holds for each name the endpoint of that name; TypeScript does not follow it through a parameter.
    const endpoint = (endpoints as unknown as Readonly<Partial<Record<OperationName, EndpointOf<N>>>>)[name];
    if (endpoint === undefined) throw new Error(`Authy does not do ${name}.`);
    const endsAt = performance.now() + (options.deadline ?? this.client.deadline);
    const first = await this.client.call(endpoint, values, options);
    const { statusCode, shown: body } = first.answer;
    const next = endpoint.next?.(values, first.result);
    const left = { ...options, deadline: Math.max(1, endsAt - performance.now()) };
    const { outcome, result } = next === undefined ? first : await this.client.call(next, values, left);
    return { outcome, result, answer: { statusCode, body } };
  }

  async test(): Promise<string> {
    const { result } = await this.perform('appDetails', {});
    return result.name ?? '';
  }

  close(): void {
    this.client.close();
  }
}
