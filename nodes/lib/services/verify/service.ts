import type { AuthenticatorCodes } from '../../contract/approver';
import type { ValuesOf } from '../../contract/operations';
import type { PhoneRule } from '../../contract/phone';
import type { OperationName } from '../../contract/results';
import type { CallOptions, DoneBy, Performed, Service } from '../../contract/service';
import type { abilities } from './abilities';
import { onetouchSend, onetouchStatus, userInvite } from './approvals';
import { appDetails, appStats } from './application';
import { authenticatorCodes } from './authenticator-codes';
import { tokenCall, tokenEmail, tokenSms } from './codes';
import type { Context, Handler } from './context';
import { userImport } from './import';
import { phoneCheck, phoneInfo, phoneStart, phoneStatus } from './phones';
import { userQr } from './qr';
import { tokenVerify } from './token';
import { userCreate, userDelete, userStatus, userUpdate } from './users';

/** How Verify carries out each operation that it does. */
const handlers: { readonly [N in DoneBy<typeof abilities>]: Handler<N> } = {
  userCreate,
  userStatus,
  userUpdate,
  userDelete,
  userImport,
  userQr,
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

/** Twilio Verify, or a server that speaks its protocol. */
export class VerifyService implements Service {
  readonly authenticators: AuthenticatorCodes;

  constructor(
    private readonly context: Context,
    /** For a whole operation, in milliseconds. */
    private readonly deadline: number,
  ) {
    this.authenticators = authenticatorCodes(context, () => this.begin());
  }

  /** A server on this machine is a simulator, whatever the account says: it accepts made-up numbers, too. */
  get phones(): PhoneRule {
    return this.context.verify.isLocal ? 'possible' : 'valid';
  }

  async perform<N extends OperationName>(
    name: N,
    values: ValuesOf<N>,
    options: CallOptions = {},
  ): Promise<Performed<N>> {
    // The table holds for each name the handler of that name; TypeScript does not follow it through a parameter.
    const handler = (handlers as unknown as Readonly<Partial<Record<OperationName, Handler<N>>>>)[name];
    if (handler === undefined) throw new Error(`Verify does not do ${name}.`);
    return handler(this.context, values, this.begin(options));
  }

  async test(): Promise<string> {
    const { result } = await this.perform('appDetails', {});
    return result.name ?? '';
  }

  close(): void {
    this.context.verify.close();
    this.context.lookups.close();
  }

  /** Gives the options of each next call, with what is left of the deadline from now on. */
  private begin(options: CallOptions = {}): () => CallOptions {
    const endsAt = performance.now() + (options.deadline ?? this.deadline);
    return () => ({ ...options, deadline: Math.max(1, endsAt - performance.now()) });
  }
}
