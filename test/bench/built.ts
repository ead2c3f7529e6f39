import path from 'node:path';
import type * as cancellation from '../../nodes/lib/http/cancellation';
import type * as client from '../../nodes/lib/services/authy/client';
import type * as connections from '../../nodes/lib/http/connections';
import type * as transport from '../../nodes/lib/http/transport';
import type * as callback from '../../nodes/lib/services/authy/callback/callback';
import type * as endpoints from '../../nodes/lib/services/authy/endpoints';
import { root } from '../support/node_red';
import { authyId, token } from './call';

/** Loads a built CommonJS file by its name below `dist/lib`: users run the built files. */
function built(name: string): unknown {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- It is CommonJS.
  return require(path.join(root, 'dist', 'lib', name));
}

export const { AuthyClient } = built('services/authy/client.js') as typeof client;
export const { Cancellation } = built('http/cancellation.js') as typeof cancellation;
export const { Connections } = built('http/connections.js') as typeof connections;
export const { Transport } = built('http/transport.js') as typeof transport;
const { endpoints: builtEndpoints } = built('services/authy/endpoints.js') as typeof endpoints;
export const { verifyCallback } = built('services/authy/callback/callback.js') as typeof callback;

/** Makes the call that all benchmarks make, by a client of the package; rejects if the answer is not "valid". */
export async function verifyBy(client: client.AuthyClient): Promise<void> {
  const values = { authyId, token, force: true, action: undefined };
  const { outcome } = await client.call(builtEndpoints.tokenVerify, values);
  if (outcome !== 'valid') throw new Error('A wrong answer.');
}
