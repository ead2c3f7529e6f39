import { operations, type ValuesOf } from '../../nodes/lib/contract/operations';
import { readInputs } from '../../nodes/lib/contract/read-inputs';
import type { OperationName } from '../../nodes/lib/contract/results';
import type { CallOptions, Performed } from '../../nodes/lib/contract/service';
import type { AuthyClient } from '../../nodes/lib/services/authy/client';
import { AuthyService } from '../../nodes/lib/services/authy/service';

/** Authy as an account uses it: inputs are validated first. */
export class ValidatingService {
  private readonly service: AuthyService;

  constructor(private readonly client: AuthyClient) {
    this.service = new AuthyService(client);
  }

  async perform<N extends OperationName>(
    name: N,
    raw: Readonly<Record<string, unknown>>,
    options?: CallOptions,
  ): Promise<Performed<N>> {
    const values = readInputs(operations[name], raw, this.service.phones) as ValuesOf<N>;
    return this.service.perform(name, values, options);
  }

  close(): void {
    this.client.close();
  }
}
