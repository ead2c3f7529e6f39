import type { IncomingMessage } from 'node:http';
import type { NodeAPI } from 'node-red';
import { ofNoStranger, ownPagesOnly } from '../server/own-pages';

/** What Node-RED's own Express calls. Our code uses nothing of its requests and answers but what node:http has. */
export type AdminHandler = ReturnType<NodeAPI['auth']['needsPermission']>;

/**
 * Lets in requests with a permission that do not come from a foreign web page: if Node-RED has no adminAuth, or gives
 * permissions to everybody, or a proxy signs users in, its admin routes would otherwise obey every page.
 */
export function guarded(RED: NodeAPI, permission: string): AdminHandler {
  const hasPermission = RED.auth.needsPermission(permission);
  const isOwnPage = ownPagesOnly({
    ...ofNoStranger,
    allows: (name, request) => isSignedIn(request) || ofNoStranger.allows(name, request),
  });
  return (request, response, next) => {
    hasPermission(request, response, (error?: unknown) => {
      if (error !== undefined) next(error);
      else isOwnPage(request, response, next);
    });
  };
}

/** Whether a user has signed in by a token: a page loaded under another name than the editor has none. */
export function isSignedIn(request: IncomingMessage & { user?: { anonymous?: boolean } }): boolean {
  const { user, headers } = request;
  return user !== undefined && user.anonymous !== true && /^Bearer /i.test(headers.authorization ?? '');
}
