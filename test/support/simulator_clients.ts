import { createRequire } from 'node:module';
import path from 'node:path';
import { installedInCache } from './node_red';

/** The answer of a client; each test reads what it needs. */
export type ClientAnswer = Record<string, unknown>;

type NodeCallback = (error: unknown, answer: ClientAnswer) => void;

/** npm `authy`: methods that take a callback last. */
export interface AuthyClient {
  register_user(email: string, phone: string, country: string, link: boolean, done: NodeCallback): void;
  delete_user(id: number, done: NodeCallback): void;
  user_status(id: number, done: NodeCallback): void;
  verify(id: number, token: string, force: boolean, done: NodeCallback): void;
  request_sms(id: number, force: boolean, done: NodeCallback): void;
  request_call(id: number, force: boolean, done: NodeCallback): void;
  phones(): {
    verification_start(phone: string, country: string, params: object, done: NodeCallback): void;
    verification_check(phone: string, country: string, code: string, done: NodeCallback): void;
    verification_status(phone: string, country: string, done: NodeCallback): void;
    info(phone: string, country: string, done: NodeCallback): void;
  };
  send_approval_request(
    id: number,
    payload: object,
    hidden: object | null,
    logos: object[] | null,
    done: NodeCallback,
  ): void;
  check_approval_status(uuid: string, done: NodeCallback): void;
}

/** npm `authy-client`: methods that take one or two objects and return a promise. */
export type AuthyClientClient = Record<
  | 'createApprovalRequest'
  | 'deleteUser'
  | 'getApplicationDetails'
  | 'getApplicationStatistics'
  | 'getApprovalRequest'
  | 'getPhoneInformation'
  | 'getUserStatus'
  | 'registerActivity'
  | 'registerUser'
  | 'requestCall'
  | 'requestSms'
  | 'startPhoneVerification'
  | 'verifyPhone'
  | 'verifyToken',
  (values?: object, options?: object) => Promise<ClientAnswer>
>;

/** The official JavaScript clients of Authy. */
export interface OfficialClients {
  authy: (key: string, url: string) => AuthyClient;
  authyClient: (key: string, url: string) => AuthyClientClient;
}

/**
 * The official clients, installed outside the project: they bring old dependencies with known vulnerabilities, which
 * must not be among the project's own. Their install scripts are not run. Skips the suite if they cannot be downloaded.
 */
export async function officialClients(context: Mocha.Context): Promise<OfficialClients> {
  const load = createRequire(path.join(await installedOfficialClients(context), 'package.json'));
  const authy = load('authy') as OfficialClients['authy'];
  const { Client } = load('authy-client') as {
    Client: new (options: { key: string }, more: { host: string }) => AuthyClientClient;
  };
  return { authy, authyClient: (key, host) => new Client({ key }, { host }) };
}

/** The node_modules with the official clients. */
export function installedOfficialClients(context: Mocha.Context): Promise<string> {
  const packages = ['authy@1.4.0', 'authy-client@1.1.4'];
  return installedInCache(context, 'official-clients', packages, ['--ignore-scripts']);
}
