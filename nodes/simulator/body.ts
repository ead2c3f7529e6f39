import type { IncomingMessage } from 'node:http';
import { readBody as readUpTo } from '../lib/server/request-body';

/** The largest body that is read, in bytes. */
const maximalBody = 131_072;

/**
 * Reads a request's body to its end, whatever the method.
 *
 * @throws BodyTooLarge - after the rest has been read and dropped, so that the client can be answered
 */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  return readUpTo(request, maximalBody);
}
