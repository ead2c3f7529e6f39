import type { IncomingMessage } from 'node:http';

/** The largest body that is read, in bytes. */
export const maximalBody = 131_072;

/** A body of more than {@link maximalBody} bytes. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';

  constructor() {
    super(`The body is larger than ${maximalBody} bytes.`);
  }
}

/**
 * Reads a request's body to its end, whatever the method.
 *
 * @throws BodyTooLarge - after the rest has been read and dropped, so that the client can be answered
 */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= maximalBody) chunks.push(chunk);
    else chunks.length = 0;
  }
  if (size > maximalBody) throw new BodyTooLarge();
  return Buffer.concat(chunks);
}
