import type { ValuesOf } from '../../contract/operations';
import type { OperationName } from '../../contract/results';
import type { CallOptions, DoneBy, Performed, Service } from '../../contract/service';
import type { abilities } from './abilities';
import { appDetails, appStats } from './application';
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
};

/** This Node-RED: nothing leaves it but what the flow sends. */
export class LocalService implements Service {
  readonly phones = 'valid';

  constructor(private readonly context: Context) {}

  async perform<N extends OperationName>(
    name: N,
    values: ValuesOf<N>,
    { signal }: CallOptions = {},
  ): Promise<Performed<N>> {
    // The table holds for each name the handler of that name; TypeScript does not follow it through a parameter.
    const handler = (handlers as unknown as Readonly<Partial<Record<OperationName, Handler<N>>>>)[name];
    if (handler === undefined) throw new Error(`This Node-RED does not do ${name}.`);
    return handler(this.context, values, signal);
  }

  test(): Promise<string> {
    return Promise.resolve(this.context.displayName);
  }

  close(): void {
    // Nothing is held: what this process remembers has to outlive a deploy.
  }
}
