import type { IncomingMessage, ServerResponse } from 'node:http';

/** A request, with what is added by the application that a handler is mounted in. */
export interface MountedRequest extends IncomingMessage {
  /** The address as it was received: `url` is relative to where the handler is mounted. Absent if it is not mounted. */
  originalUrl?: string;
  /** What a body parser made of the body, if there is one. */
  body?: unknown;
}

/**
 * Answers a request, or hands it on. It uses nothing but node:http, so it may be mounted in our router and in every version of
 * Express.
 *
 * @param next - without an error: the request is somebody else's
 */
export type RequestHandler = (
  request: MountedRequest,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;
