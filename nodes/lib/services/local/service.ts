import type { AuthenticatorCodes } from '../../contract/approver';
import type { ValuesOf } from '../../contract/operations';
import type { OperationName } from '../../contract/results';
import type { CallOptions, DoneBy, Performed, Service } from '../../contract/service';
import type { abilities } from './abilities';
import { onetouchSend, onetouchStatus, userInvite } from './approvals';
import { appDetails, appStats } from './application';
import { authenticatorCodes } from './authenticator-codes';
import { tokenCall, tokenEmail, tokenSms } from './codes';
import type { Context, Handler } from './context';
import { phoneCheck, phoneInfo, phoneStart, phoneStatus } from './phones';
import { userQr } from './qr';
import { tokenVerify } from './token';
import { userActivity, userCreate, userDelete, userStatus, userUpdate } from './users';

/** How this Node-RED carries out each operation that it does. */
const handlers: { readonly [N in DoneBy<typeof abilities>]: Handler<N> } = {
  userCreate,
  userStatus,
  userUpdate,
  userDelete,
  userQr,
  userActivity,
  tokenSms,
  tokenCall,
  tokenEmail,
  tokenVerify,
  phoneStart,
  phoneCheck,
  phoneStatus,
  phoneInfo,
  appDetails,
  appStats,
  userInvite,
  onetouchSend,
  onetouchStatus,
};

/** This Node-RED: nothing leaves it but what the flow sends. */
export class LocalService implements Service {
  readonly phones = 'valid';
  readonly authenticators: AuthenticatorCodes;

  constructor(private readonly context: Context) {
    this.authenticators = authenticatorCodes(context);
  }

  async perform<N extends OperationName>(
    name: N,
    values: ValuesOf<N>,
    options: CallOptions = {},
  ): Promise<Performed<N>> {
    // The table holds for each name the handler of that name; TypeScript does not follow it through a parameter.
    const handler = (handlers as unknown as Readonly<Partial<Record<OperationName, Handler<N>>>>)[name];
    if (handler === undefined) throw new Error(`This Node-RED does not do ${name}.`);
    return handler(this.context, values, options);
  }

  test(): Promise<string> {
    return Promise.resolve(this.context.displayName);
  }

  close(): void {
    // Nothing is held: what this process remembers has to outlive a deploy.
  }
}
