import { execFile } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';

/** What a client answers with; each test looks at what it needs. */
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

const wanted = { authy: '1.4.0', 'authy-client': '1.1.4' } as const;
const folder = path.resolve(__dirname, '..', '..', '.cache', 'official-clients');

/**
 * Installs the official clients beside the project, once: they drag in old dependencies with known holes, so they
 * must not be among the project's own. No script of theirs is run.
 *
 * @returns undefined where they are not there yet and the registry cannot be reached
 */
export async function officialClients(): Promise<OfficialClients | undefined> {
  if (!isInstalled() && !(await install())) return undefined;
  const load = createRequire(path.join(folder, 'package.json'));
  const authy = load('authy') as OfficialClients['authy'];
  const { Client } = load('authy-client') as {
    Client: new (options: { key: string }, more: { host: string }) => AuthyClientClient;
  };
  return { authy, authyClient: (key, host) => new Client({ key }, { host }) };
}

function isInstalled(): boolean {
  return Object.entries(wanted).every(([name, version]) => {
    const file = path.join(folder, 'node_modules', name, 'package.json');
    if (!fs.existsSync(file)) return false;
    return (JSON.parse(fs.readFileSync(file, 'utf8')) as { version: string }).version === version;
  });
}

async function install(): Promise<boolean> {
  fs.mkdirSync(folder, { recursive: true });
  // Without a package.json of its own, npm would look for one further up.
  fs.writeFileSync(path.join(folder, 'package.json'), '{"private":true}');
  const packages = Object.entries(wanted).map(([name, version]) => `${name}@${version}`);
  const options = ['--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund'];
  try {
    await promisify(execFile)('npm', ['install', ...options, ...packages], {
      cwd: folder,
      timeout: 150_000,
      shell: process.platform === 'win32',
    });
    return true;
  } catch (error) {
    const text = String((error as { stderr?: string }).stderr ?? error);
    const isKilled = (error as { killed?: boolean }).killed === true;
    if (isKilled || /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH/.test(text))
      return false;
    throw error;
  }
}
