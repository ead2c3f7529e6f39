import type { NodeAPI } from 'node-red';
import type { Account } from '../account/account';
import type { Approver } from '../approver/approver';
import type { RequestHandler } from '../contract/request-handler';
import { below } from '../server/router';
import { isBelow, servedClaims } from './approver-paths';
import type { Instances } from './instances';

/** What `RED.httpNode` is, as far as it is used here. Absent if Node-RED serves no http nodes. */
interface HttpNode {
  use(handler: RequestHandler): void;
}

/**
 * Serves the pages on which people answer, beside the http in nodes. It is mounted once: which accounts there are is looked up
 * with each request, so that a deploy changes nothing here.
 */
export function serveApprovers(RED: NodeAPI, instances: Instances): void {
  const httpNode = RED.httpNode as unknown as Partial<HttpNode> | undefined;
  httpNode?.use?.((request, response, next) => {
    const path = request.url ?? '';
    const { account, isRunning } = servedClaims(instances).find(({ account }) => isAt(path, account)) ?? {};
    // While it is started again, nobody answers there.
    if (isRunning !== true || account?.approver === undefined) {
      next();
      return;
    }
    pagesOf(account.approver)
      .then((pages) => pages(request, response, next))
      // Express sees only what is thrown at once: what is thrown later would end Node-RED.
      .catch(next);
  });
}

function isAt(path: string, { approver }: Account): boolean {
  return approver !== undefined && isBelow(path, approver.host.settings.path);
}

const known = new WeakMap<Approver, Promise<RequestHandler>>();

/** The pages of an account. Their code is loaded with the first request for one. */
function pagesOf(approver: Approver): Promise<RequestHandler> {
  const pages =
    known.get(approver) ??
    import('../approver/pages/pages.js').then(({ approverPages }) =>
      below(approver.host.settings.path, approverPages(approver)),
    );
  known.set(approver, pages);
  return pages;
}
