import type { ValuesOf } from '../../contract/operations';
import type { PhoneRule } from '../../contract/phone';
import type { OperationName } from '../../contract/results';
import type { CallOptions, Performed, Service } from '../../contract/service';
import type { AuthyClient } from './client';
import { endpoints } from './endpoints';

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
    options?: CallOptions,
  ): Promise<Performed<N>> {
    const { outcome, result, answer } = await this.client.call(endpoints[name], values, options);
    const { statusCode, shown: body } = answer;
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
