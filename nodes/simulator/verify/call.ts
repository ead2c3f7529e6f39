import type { Route } from '../../lib/server/router';
import type { Backend } from '../backend';
import type { Reply } from '../reply';
import type { Form } from './form';
import type { VerifySettings } from './settings';
import { type SidPrefix, sidOf } from './sids';

/** A request to one of Twilio's endpoints, authenticated and read. */
export interface VerifyCall {
  readonly backend: Backend;
  readonly verify: VerifySettings;
  readonly form: Form;
  /** The values in the path, by name. */
  readonly values: Readonly<Record<string, string>>;
  /** Without the query string. */
  readonly path: string;
  /** The simulator's own address as the client sees it: scheme, host and port. */
  readonly baseUrl: string;
}

/** Answers a call, or throws a `VerifyFailure`. */
export type VerifyRoute = Route<(call: VerifyCall) => Reply> & {
  /** Whether waiting clients poll it. */
  readonly isPolled?: true;
};

/** The path of the service. */
export const service = '/v2/Services/{service}';

/** The address of something below the service, such as `…/Verifications/VE…`. */
export function addressOf({ baseUrl, verify }: VerifyCall, path: string): string {
  return `${baseUrl}/v2/Services/${verify.serviceSid}${path}`;
}

/** The members that every resource of a service begins with. */
export function owned({ verify }: VerifyCall, prefix: SidPrefix, uuid: string) {
  return {
    sid: sidOf(prefix, uuid),
    account_sid: verify.accountSid,
    service_sid: verify.serviceSid,
  };
}
