import { AuthyError } from '../../contract/errors';
import type { CallbackVerifier, Environment, Service, ServiceKind } from '../../contract/service';
import { placeholder } from '../../contract/placeholder';
import { abilities } from './abilities';
import { apiKeyProblem } from './api-key';
import { type AuthySettings, plainSettings, readSettings } from './settings';
import { simulatorOf, startSimulator, stopSimulator } from '../../simulated/simulators';

/** Authy, and its simulator. */
const authy: ServiceKind<AuthySettings> = {
  id: 'authy',
  abilities,
  answersByHttp: {},
  settings: ['baseUrl', 'pathPrefix', 'callbackUrl', 'callbackMethod'],
  credentials: ['apiKey', 'previousApiKey'],
  read: readSettings,
  // A simulator shows its phone from the first deploy on, before any message asks for it.
  isOpenedAtDeploy: ({ simulator, problem }) => simulator !== undefined && problem === undefined,

  keyProblem,

  async open(settings, environment): Promise<Service> {
    const { problem, apiKey, simulator, baseUrl, pathPrefix, proxy, tls } = settings;
    const missing = keyProblem(settings);
    if (missing !== undefined) throw new AuthyError('AUTHY_NO_API_KEY', missing);
    if (problem !== undefined) throw new AuthyError('AUTHY_BAD_CONFIG', problem);
    if (simulator === undefined)
      return openService(settings, environment, { apiKey, baseUrl, pathPrefix, proxy, tls });
    const own = await simulated(settings, environment);
    return openService(settings, environment, { apiKey: own.apiKey, baseUrl: own.url });
  },

  async closed({ simulator }, { accountId }, removed) {
    if (simulator !== undefined) await stopSimulator(accountId, removed);
  },

  async callbacks(settings, environment): Promise<CallbackVerifier> {
    const { AuthyCallbacks } = await import('./callback/callback.js');
    return new AuthyCallbacks(await callbackKeys(settings, environment));
  },

  phone: simulatorOf,

  typed(settings, form) {
    const { apiKey } = form;
    if (typeof apiKey !== 'string' || form['simulated'] === true) return undefined;
    const key = apiKey.trim();
    if (placeholder(key) !== undefined)
      throw new Error('The key comes from the environment: deploy first, then test.');
    if (key === '') throw new Error('Enter the API key first.');
    const problem = apiKeyProblem(key);
    if (problem !== undefined) throw new Error(`API key: ${problem}`);
    return settings === undefined ? plainSettings(key) : { ...settings, apiKey: key };
  },
};

export default authy;

/** The key and the address of an account's simulator. */
async function simulated(
  { apiKey, simulator: options }: AuthySettings,
  { accountId, log }: Environment,
): Promise<{ apiKey: string; url: string }> {
  const key = apiKey === '' ? {} : { apiKey };
  const { simulator, url } = await startSimulator(accountId, { ...options, ...key, log });
  return { apiKey: simulator.apiKey, url };
}

/** The keys that a callback may be signed with: the current one and, during a change of keys, the previous one. */
async function callbackKeys(
  settings: AuthySettings,
  environment: Environment,
): Promise<{ apiKeys: string[]; noApiKey?: string }> {
  const { simulator, apiKey, previousApiKey, problem } = settings;
  const missing = keyProblem(settings);
  if (simulator !== undefined) {
    const isRunning = simulatorOf(environment.accountId) !== undefined;
    if (!isRunning && problem === undefined) await simulated(settings, environment);
    const key = simulatorOf(environment.accountId)?.apiKey;
    return key === undefined ? { apiKeys: [], ...(problem && { noApiKey: problem }) } : { apiKeys: [key] };
  }
  // Without a current key there is no change of keys.
  if (missing !== undefined) return { apiKeys: [], noApiKey: missing };
  return { apiKeys: [apiKey, previousApiKey].filter((key) => key !== '') };
}

/** A simulator goes on with a key of its own. */
function keyProblem({ simulator, apiKey, noApiKey }: AuthySettings): string | undefined {
  if (simulator !== undefined || apiKey !== '') return undefined;
  return noApiKey ?? 'Open the account and enter the API key: there is none.';
}

/** Loaded with the first call: an editor that is only opened needs no HTTP. */
async function openService(
  { apiKey, previousApiKey }: AuthySettings,
  { deadline, maxInFlight, maxQueued }: Environment,
  address: Pick<AuthySettings, 'apiKey' | 'baseUrl'> & Partial<AuthySettings>,
): Promise<Service> {
  const [{ AuthyClient }, { AuthyService }, { QueuedService }] = await Promise.all([
    import('./client.js'),
    import('./service.js'),
    import('../../http/queue.js'),
  ]);
  try {
    const secrets = [apiKey, previousApiKey];
    const client = new AuthyClient({ ...address, deadline, maxInFlight, secrets });
    return new QueuedService(new AuthyService(client), { maxInFlight, maxQueued });
  } catch (error) {
    throw new AuthyError('AUTHY_BAD_CONFIG', (error as Error).message);
  }
}
