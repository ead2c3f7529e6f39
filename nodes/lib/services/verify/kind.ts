import { AuthyError } from '../../contract/errors';
import { placeholder } from '../../contract/placeholder';
import type { CallbackVerifier, Environment, Service, ServiceKind } from '../../contract/service';
import { simulatorOf, startSimulator, stopSimulator } from '../../simulated/simulators';
import { approverProperties } from '../../people/approver-settings';
import { abilities } from './abilities';
import {
  plainSettings,
  readSettings,
  secretProblem,
  serviceSidProblem,
  userProblem,
  type VerifySettings,
} from './settings';

/** Twilio Verify. */
const verify: ServiceKind<VerifySettings> = {
  id: 'verify',
  abilities,
  keepsPeople: true,
  answersByHttp: {
    needs: {
      setting: 'verifyPush',
      reason:
        'Leave this node out, or tick “Approvals by our own app” in the account if you have an app with Twilio’s SDK: without ' +
        'it people answer on this Node-RED’s own page, and the flow hears of it by itself.',
    },
  },
  // Twilio allows 180 readings of a status in an hour: this comes to 160.
  longestReadingPause: 30_000,
  settings: [
    ...['verifyServiceSid', 'verifyUser', 'verifyLookup', 'verifyPush'],
    ...['verifyBaseUrl', 'verifyLookupsUrl'],
    'callbackUrl',
    ...approverProperties,
  ],
  credentials: ['verifySecret', 'verifyAuthToken'],
  read: readSettings,
  // A simulator shows its phone from the first deploy on, before any message asks for it.
  isOpenedAtDeploy: ({ isSimulated, problem }) => isSimulated && problem === undefined,

  typed(settings, form) {
    const { verifySecret, verifyUser, verifyServiceSid } = form;
    if (form['simulated'] === true) return undefined;
    const [serviceSid, user] = [textOf(verifyServiceSid), textOf(verifyUser)];
    const isTyped = verifySecret !== undefined;
    const isSame = (text: string, deployed: string): boolean =>
      text === deployed || placeholder(text) !== undefined;
    if (settings !== undefined && !isTyped) {
      // A variable that was deployed has its value by now.
      if (isSame(serviceSid, settings.serviceSid) && isSame(user, settings.user)) return undefined;
    }
    const secret = isTyped ? textOf(verifySecret) : (settings?.secret ?? '');
    if ([serviceSid, user, secret].some((text) => placeholder(text) !== undefined)) {
      throw new Error('A value comes from the environment: deploy first, then test.');
    }
    const problem =
      serviceSidProblem(serviceSid) ??
      userProblem(user) ??
      (secret === '' ? 'Enter the secret first.' : secretProblem(secret));
    if (problem !== undefined) throw new Error(problem);
    return { ...(settings ?? plainSettings), serviceSid, user, secret, problem: undefined };
  },

  keyProblem,

  async open(settings, environment): Promise<Service> {
    const { problem, isSimulated } = settings;
    if (problem !== undefined) throw new AuthyError('AUTHY_BAD_CONFIG', problem);
    if (isSimulated) {
      const service = await openService(await simulated(settings, environment), environment);
      return settings.hasOwnApp ? withSimulatedApp(service, environment) : service;
    }
    const missing = keyProblem(settings);
    if (missing !== undefined) throw new AuthyError('AUTHY_NO_API_KEY', missing);
    return openService(settings, environment);
  },

  async closed({ isSimulated }, { accountId }, removed) {
    if (isSimulated) await stopSimulator(accountId, removed);
  },

  async callbacks(settings, environment, service): Promise<CallbackVerifier> {
    const { VerifyWebhooks } = await import('./webhook/verifier.js');
    const { authToken, noAuthToken } = settings.isSimulated
      ? { authToken: await simulatedAuthToken(settings, environment), noAuthToken: settings.problem }
      : settings;
    return new VerifyWebhooks(
      authToken === '' ? undefined : authToken,
      noAuthToken ?? 'Open the account and enter the auth token of the Twilio account, which signs webhooks.',
      service,
      (approvalId) => environment.recipientOf(approvalId),
    );
  },

  phone: simulatorOf,
};

export default verify;

/** What else is missing comes first. */
function keyProblem({ isSimulated, secret, problem }: VerifySettings): string | undefined {
  if (isSimulated || secret !== '' || problem !== undefined) return undefined;
  return "Open the account and enter the API key's secret, or the account's auth token: there is none.";
}

/** The settings of an account's simulator. */
async function simulated(settings: VerifySettings, { accountId, log }: Environment): Promise<VerifySettings> {
  const { simulator, url } = await startSimulator(accountId, { ...settings.simulator, log });
  const { serviceSid, apiKeySid: user, apiKeySecret: secret } = simulator.verify;
  return { ...settings, serviceSid, user, secret, baseUrl: url, lookupsUrl: url };
}

/** Everybody has the simulated app: it is on their phone before they are asked. */
function withSimulatedApp(service: Service, environment: Environment): Service {
  return {
    phones: service.phones,
    async perform(name, values, options) {
      const { authyId } = values as { authyId?: string };
      const person = name === 'onetouchSend' ? await environment.people().find(authyId ?? '') : undefined;
      if (person !== undefined)
        simulatorOf(environment.accountId)?.installApp(person.identity, person.phoneNumber);
      return service.perform(name, values, options);
    },
    test: () => service.test(),
    close: () => service.close(),
  };
}

/** The auth token of an account's simulator, which is started if it does not run. */
async function simulatedAuthToken(
  settings: VerifySettings,
  environment: Environment,
): Promise<string | undefined> {
  const { accountId } = environment;
  if (simulatorOf(accountId) === undefined && settings.problem === undefined)
    await simulated(settings, environment);
  return simulatorOf(accountId)?.verify.authToken;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : '';
}

/** Loaded with the first call: an editor that is only opened needs no HTTP. */
async function openService(settings: VerifySettings, environment: Environment): Promise<Service> {
  const [{ VerifyClient }, { VerifyService }, { StartedVerifications }, { WrongTries }, { QueuedService }] =
    await Promise.all([
      import('./client.js'),
      import('./service.js'),
      import('./started-verifications.js'),
      import('./wrong-tries.js'),
      import('../../http/queue.js'),
    ]);
  const { user, secret, serviceSid, lookup, hasOwnApp, tls, proxy } = settings;
  const { deadline, maxInFlight, maxQueued } = environment;
  const clientFor = (baseUrl: string): InstanceType<typeof VerifyClient> => {
    try {
      return new VerifyClient({ user, secret, baseUrl, deadline, maxInFlight, tls, proxy });
    } catch (error) {
      throw new AuthyError('AUTHY_BAD_CONFIG', (error as Error).message);
    }
  };
  const [verifyClient, lookups] = [clientFor(settings.baseUrl), clientFor(settings.lookupsUrl)];
  const context = {
    ...{ verify: verifyClient, lookups, serviceSid, lookup, hasOwnApp },
    approvals: () => environment.approvals(),
    // Opened with the first call that needs them.
    get people() {
      return environment.people();
    },
    recipientOf: (approvalId: string) => environment.recipientOf(approvalId),
    started: new StartedVerifications(),
    wrongTries: new WrongTries(),
    now: () => Date.now(),
    steady: () => performance.now(),
  };
  return new QueuedService(new VerifyService(context, deadline), { maxInFlight, maxQueued });
}
