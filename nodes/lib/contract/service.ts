import type { SecureContextOptions } from 'node:tls';
import type { Approvals, ApproverSettings, AuthenticatorCodes } from './approver';
import type { AuthyError } from './errors';
import type { JsonObject } from './json';
import type { Notify } from './notification';
import type { OutcomeOf, ValuesOf } from './operations';
import type { People } from './people';
import type { PhoneRule } from './phone';
import type { RequestHandler } from './request-handler';
import type { OperationName, ResultOf } from './results';

/** Options of one call. */
export interface CallOptions {
  /** Ends the call: `AUTHY_CANCELLED` if nothing was sent, else as if no answer came. */
  signal?: AbortSignal | undefined;
  /**
   * Called with the error while the signal aborts, before the promise can reject: when a node closes, the nodes
   * that could catch its error are about to close as well.
   */
  onCancelled?: ((error: AuthyError) => void) | undefined;
  /** Called when the call begins to wait for its turn, and when it no longer does. */
  onQueued?: ((isQueued: boolean) => void) | undefined;
  /** Instead of the account's deadline, in milliseconds. Such a call does not wait for its turn. */
  deadline?: number | undefined;
  /**
   * Whether what it asks was counted and timed already, as an approval gate does: it does not wait for its turn either, or it would
   * come when it is no longer wanted.
   */
  isAdmitted?: boolean | undefined;
  /** For the status of an approval request: who was asked, where the caller knows it. Otherwise the account has to. */
  recipient?: string | undefined;
  /** For an approval request on this Node-RED's own page: who asks, such as the name of the flow. */
  asker?: string | undefined;
}

/** The outcome and result of an operation. */
export type Performed<N extends OperationName = OperationName> = {
  readonly [K in N]: {
    readonly outcome: OutcomeOf<K>;
    readonly result: ResultOf<K>;
    /** The service's answer, if it is asked over a network. */
    readonly answer?: ServiceAnswer | undefined;
  };
}[N];

/** An answer of a service, parsed, without the secrets that it repeats. */
export interface ServiceAnswer {
  /** The HTTP status. */
  readonly statusCode?: number | undefined;
  readonly body: JsonObject;
  /** The phone on which a request was answered, if its status says so. */
  readonly device?: JsonObject | undefined;
}

/** An operation that a service does not do, and why: a sentence that says what to do instead. */
export interface Unsupported {
  readonly unsupported: string;
}

/** An input that a service does not take: it has to be left blank, or be a value that the service takes. */
export interface Refusal<T = unknown> {
  /** The values that it takes. */
  readonly accepts?: readonly T[];
  /** It takes numbers up to this, and from {@link atLeast} on. */
  readonly atMost?: number;
  /** 0 if it is absent. */
  readonly atLeast?: number;
  /** The setting of the account with which it is refused, if it is not with every one. */
  readonly ifTicked?: string;
  /** What to do instead: a sentence. */
  readonly reason: string;
}

/** A setting of the account that has to be ticked for an operation, or must not be. */
export interface Need {
  /** The name of the property. */
  readonly setting: string;
  /** Whether it has to be: absent is true. */
  readonly ticked?: false;
  /** What to do without it: a sentence. */
  readonly reason: string;
}

/** An operation that a service does, with all values of its inputs but those refused. */
export interface Supported<N extends OperationName> {
  readonly needs?: Need;
  readonly refuses?: { readonly [I in keyof ValuesOf<N>]?: Refusal<NonNullable<ValuesOf<N>[I]>> };
  /** It tells somebody something, and the flow has to send it: without a notifications node each message fails. */
  readonly notifies?: true;
}

/**
 * Which operations a service does, as data. One fact for three places: the panel, the badge and the warning at deploy, and
 * the error `AUTHY_NOT_SUPPORTED`.
 */
export type Abilities = { readonly [N in OperationName]: Supported<N> | Unsupported };

/** The operations that a service does: `{ [N in DoneBy<typeof abilities>]: … }` has a handler for each, and no other. */
export type DoneBy<A extends Abilities> = {
  [N in OperationName]: A[N] extends Unsupported ? never : N;
}[OperationName];

/** The proxy of an account. */
export interface ProxySetting {
  /** Such as `http://proxy.example:3128`. */
  url: string;
  username?: string | undefined;
  password?: string | undefined;
  /** Hosts that are reached without it: `example.com` (and names that end in `.example.com`), `host:port`, `*`. */
  bypass?: readonly string[] | undefined;
  /** The environment variable that it is from, if it is from one. */
  variable?: string | undefined;
}

/** An address of this Node-RED, and the certificates that it shows there. */
export interface OwnAddress {
  readonly url: string;
  readonly certificates?: readonly (string | Buffer)[];
}

/**
 * Reads the settings of an account, each of which may come from an environment variable, which may be missing, of another
 * type, or blank. Nothing throws: settings that cannot be used are recorded in `problem`.
 */
export interface SettingsReader {
  /** What is wrong, each sentence beginning with the setting's name; undefined if nothing is. */
  readonly problem: string | undefined;
  refuse(setting: string, whatToDo: string): void;
  /** @param fallback - the value if it is left blank, or cannot be used */
  text(setting: string, value: unknown, fallback?: string): string;
  secret(setting: string, value: unknown): string;
  /** @param problemOf - what is wrong with a key that was entered, as a sentence; undefined if nothing is */
  key(setting: string, value: unknown, problemOf: (key: string) => string | undefined): string;
  flag(setting: string, value: unknown, fallback: boolean): boolean;
  choice<const W extends string>(setting: string, value: unknown, words: readonly [W, ...(readonly W[])]): W;
}

/** The parts of an account's node that its service may use while its settings are read. */
export interface AccountReader {
  /** A new reader, with its own `problem`. */
  settings(): SettingsReader;
  /** The TLS configuration that a setting refers to. */
  tls(settings: SettingsReader, id: unknown): SecureContextOptions | undefined;
  /** The proxy that a setting refers to. */
  proxy(settings: SettingsReader, id: unknown): ProxySetting | undefined;
  /** Where this Node-RED itself listens, for one of its own paths; undefined while it does not. */
  ownAddress(path: string): OwnAddress | undefined;
}

/** What an account gives its service when it opens it. */
export interface Environment {
  /** Of the account's node. */
  readonly accountId: string;
  /**
   * Asks people on this Node-RED's own page.
   *
   * @throws Error - the settings of the service have no `approver`
   */
  approvals(): Approvals;
  /** For a call, in milliseconds. */
  readonly deadline: number;
  /** Calls running at once. */
  readonly maxInFlight: number;
  /** Operations that wait for their turn; 0: all begin at once. */
  readonly maxQueued: number;
  /** Writes a line to the log; the line must hold no secret. */
  readonly log: (line: string) => void;
  /**
   * Who is known to the account, for services that know nobody themselves.
   *
   * @throws AuthyError - `AUTHY_STORE` if there is no place to keep them
   */
  people(): People;
  /**
   * Who was asked by an approval request of the account; undefined if that is not known (any more).
   *
   * @throws AuthyError - `AUTHY_STORE`
   */
  recipientOf(approvalId: string): Promise<string | undefined>;
  /**
   * What tells people something. While flows are being deployed it waits until all of their nodes are there.
   *
   * @throws AuthyError - `AUTHY_NOT_SENT` if nobody would be told: no notifications node of this account is wired to anything;
   *   `AUTHY_CANCELLED` if the signal aborts
   */
  notifier(signal?: AbortSignal): Promise<Notify>;
  /** The language of this Node-RED, such as `de`; undefined if it has none set. */
  readonly language: string | undefined;
}

/** What the settings of every service have. */
export interface ServiceSettings {
  /** Why the account cannot be used; a sentence. */
  readonly problem?: string | undefined;
  /** Further warnings at deploy, once each: nobody would look for them with an account that seems to work. */
  readonly warnings: readonly string[];
  /** What `msg.authy.service` says. */
  readonly name: string;
  /** Whether it runs a simulator, and so protects nobody: every place says so. */
  readonly isSimulated: boolean;
  /** Whether it asks a simulator that runs elsewhere, and so protects nobody. */
  readonly asksSimulator?: boolean;
  /** The settings that operations need and that are ticked, by name; none if it is absent. */
  readonly ticked?: readonly string[];
  /** How people are asked on this Node-RED's own page; absent if they are not. */
  readonly approver?: ApproverSettings | undefined;
}

/**
 * A service: the default export of its folder in `services/`. It is small, and loads the code that carries out operations
 * only when it is opened.
 */
export interface ServiceKind<Settings extends ServiceSettings = ServiceSettings> {
  readonly id: string;
  readonly abilities: Abilities;
  /** Whether answers come to it by HTTP, where it asks for approvals. */
  readonly answersByHttp: Unsupported | { readonly needs?: Need };
  /** Whether it knows nobody itself, so that its accounts keep their people here: {@link Environment.people}. */
  readonly keepsPeople?: boolean;
  /**
   * The longest time between two readings of an approval request's status, in milliseconds, where the service limits
   * them; the gate's usual one if it is absent.
   */
  readonly longestReadingPause?: number;
  /** The names of its settings and credentials in the account's node, beside those of every account. */
  readonly settings: readonly string[];
  readonly credentials: readonly string[];
  /**
   * Reads the settings of an account. Never throws.
   *
   * @param config - of the node
   * @param credentials - of the node
   */
  read(
    reader: AccountReader,
    config: Readonly<Record<string, unknown>>,
    credentials: Readonly<Record<string, unknown>>,
  ): Settings;
  /**
   * Opens the service.
   *
   * @throws AuthyError - `AUTHY_BAD_CONFIG`, `AUTHY_NO_API_KEY`
   */
  open(settings: Settings, environment: Environment): Promise<Service>;
  /**
   * The account is closed, whether its service was ever opened or not.
   *
   * @param removed - whether the account was deleted: what it remembered is forgotten
   */
  closed?(settings: Settings, environment: Environment, removed: boolean): Promise<void>;
  /**
   * Why there is no key to ask the service with: a sentence. Undefined if there is one; absent if it needs none.
   */
  keyProblem?(settings: Settings): string | undefined;
  /** Whether it is to be opened at deploy, before any message asks for it. */
  isOpenedAtDeploy?(settings: Settings): boolean;
  /**
   * What verifies an answer that comes by HTTP; absent if none does. It also works if the service cannot be opened.
   *
   * @param service - opens it, where an answer has to be looked up
   * @throws AuthyError - if there is no key; it says why
   */
  callbacks?(
    settings: Settings,
    environment: Environment,
    service: () => Promise<Service>,
  ): Promise<CallbackVerifier>;
  /** The phone of an account that is simulated, while it runs. @param accountId - of the account's node */
  phone?(accountId: string): SimulatedPhone | undefined;
  /**
   * Settings with the credentials that somebody has typed into the panel, to be tried before they are deployed.
   *
   * @param settings - of the deployed account; undefined if there is none
   * @returns undefined if none were typed
   * @throws Error - for the panel to show
   */
  typed?(settings: Settings | undefined, form: Readonly<Record<string, unknown>>): Settings | undefined;
}

/** What the editor shows of a simulated phone. */
export interface SimulatedPhone {
  /** The page, which holds nothing by itself. */
  readonly phonePage: RequestHandler;
  /** The requests of the page: only for users with the permission. */
  readonly control: RequestHandler;
}

/** An open service: it performs operations with given values. */
export interface Service {
  /** What a phone number has to be. */
  readonly phones: PhoneRule;
  /**
   * Performs an operation.
   *
   * @param values - validated
   * @throws AuthyError
   */
  perform<N extends OperationName>(
    name: N,
    values: ValuesOf<N>,
    options?: CallOptions,
  ): Promise<Performed<N>>;
  /** The authenticators of people, for services whose approvals are asked here. */
  readonly authenticators?: AuthenticatorCodes;
  /** What the test button shows: a name that only an authorized caller can know. @throws AuthyError */
  test(): Promise<string>;
  /** Frees what is held between calls. */
  close(): void;
}

/** A decision that somebody made on the phone. */
export type Decision = 'approved' | 'denied';

/** An answer that came by HTTP, verified. */
export interface ApprovalAnswer {
  readonly decision: Decision;
  /** In lower case. */
  readonly approvalId: string;
  /** Of the person who was asked. */
  readonly authyId: string;
  /** When it was signed, or given, in seconds since 1970. */
  readonly nonce: number;
  /** What it says about the request and the phone. */
  readonly about: {
    readonly message: string | null;
    readonly details: JsonObject | null;
    readonly hiddenDetails: JsonObject | null;
    readonly device: JsonObject | null;
  };
  /** Everything it carried, parsed. */
  readonly body: JsonObject;
}

/** A request that may be a callback, as it reached the server. */
export interface CallbackRequest {
  readonly method: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, unknown>>;
  /** The address that was called: scheme, host, port if not the default, path. */
  readonly url: string;
  /** The query string as received, without `?`. */
  readonly query: string;
  /** The raw bytes, the text, or what a body parser made of them. */
  readonly body: unknown;
}

/** Why a callback is not believed; part of the package's contract, as `msg.authy.reason`. */
export type Rejection =
  /** The settings of the node cannot be used. */
  | 'badConfig'
  | 'method'
  | 'noApiKey'
  /** The node has a public URL, and it cannot be read. */
  | 'publicUrlUnknown'
  | 'noSignature'
  | 'noNonce'
  | 'compressed'
  | 'tooLarge'
  | 'tooComplex'
  | 'unreadableBody'
  | 'signatureMismatch'
  | 'numbersLost'
  | 'missingField'
  | 'statusDisagrees'
  | 'notAsked'
  | 'stale'
  | 'conflict'
  /** It may be right: earlier requests and answers could not be looked up. */
  | 'storeUnavailable'
  /** It may be right: the service could not be asked. */
  | 'statusUnreadable';

export type CallbackVerdict =
  | { readonly accepted: true; readonly answer: ApprovalAnswer }
  | { readonly accepted: false; readonly reason: Rejection; readonly detail: string };

/** A callback that is genuine, and about nothing that anybody was asked. */
export interface IgnoredCallback {
  /** What it is about: a clause for the log. */
  readonly ignored: string;
}

/** Verifies answers that come by HTTP. Fails closed: anything missing, odd or contradictory is a rejection. */
export interface CallbackVerifier {
  /** @param maxSize - of the request, in bytes */
  verify(
    request: CallbackRequest,
    maxSize: number,
  ): CallbackVerdict | Promise<CallbackVerdict | IgnoredCallback>;
  /** Which of several addresses a callback was signed for, to tell a user what to set; undefined if for none of them. */
  signedFor(request: CallbackRequest, maxSize: number, candidates: readonly string[]): string | undefined;
}
