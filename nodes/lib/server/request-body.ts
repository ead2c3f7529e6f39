import type { IncomingMessage } from 'node:http';

/** A body that is larger than it may be. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';

  /** @param most - in bytes */
  constructor(most: number) {
    super(`The body is larger than ${most} bytes.`);
  }
}

/**
 * Reads a request's body to its end, whatever the method.
 *
 * @param most - how large it may be, in bytes
 * @throws BodyTooLarge - after the rest has been read and dropped, so that the client can be answered
 */
export async function readBody(request: IncomingMessage, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= most) chunks.push(chunk);
    else chunks.length = 0;
  }
  if (size > most) throw new BodyTooLarge(most);
  return Buffer.concat(chunks);
}
