import type { SecureContextOptions } from 'node:tls';
import { type SimulatedSettings, simulatedSettings } from '../../simulated/simulators';
import type { AccountReader, ProxySetting, ServiceSettings, SettingsReader } from '../../contract/service';
import { approverSettings } from '../../people/approver-settings';
import { isSimulatorKey, simulatorWarning } from '../../contract/simulator-key';
import { accountName } from '../../contract/account-name';
import { isSid } from './sids';

export const verifyBaseUrl = 'https://verify.twilio.com';
export const lookupsBaseUrl = 'https://lookups.twilio.com';

/** The settings of an account on Twilio Verify. */
export interface VerifySettings extends ServiceSettings {
  /** `VA` and 32 digits. */
  readonly serviceSid: string;
  /** The SID of an API key, or that of the account. */
  readonly user: string;
  /** The secret of the API key, or the auth token of the account. Empty if there is none. */
  readonly secret: string;
  /** Signs webhooks. Empty if there is none. */
  readonly authToken: string;
  /** Why there is none although something was entered; a sentence. */
  readonly noAuthToken: string | undefined;
  /** The simulator's settings, if the account uses it instead of Twilio. */
  readonly simulator: SimulatedSettings | undefined;
  /** Whether the type of a number's line may be looked up, which Twilio bills. */
  readonly lookup: boolean;
  /** Whether people approve in an app of the customer's own; otherwise on this Node-RED's own page. */
  readonly hasOwnApp: boolean;
  readonly baseUrl: string;
  readonly lookupsUrl: string;
  readonly tls: SecureContextOptions | undefined;
  readonly proxy: ProxySetting | undefined;
}

type Raw = Readonly<Record<string, unknown>>;

/** Reads the settings of an account. Never throws. */
export function readSettings(reader: AccountReader, config: Raw, credentials: Raw): VerifySettings {
  const settings = reader.settings();
  const simulated = settings.flag('simulated', config['simulated'], false);
  const hasOwnApp = settings.flag('verifyPush', config['verifyPush'], false);
  const asking = {
    hasOwnApp,
    ticked: hasOwnApp ? ['verifyPush'] : [],
    approver: hasOwnApp ? undefined : approverSettings(settings, config, accountName(config) || 'Node-RED'),
  };
  if (simulated) {
    return {
      ...plainSettings,
      ...asking,
      simulator: simulatedSettings(reader, settings, config),
      name: 'simulator',
      isSimulated: true,
      problem: settings.problem,
    };
  }
  const serviceSid = settings.text('verifyServiceSid', config['verifyServiceSid']);
  refuse(settings, 'verifyServiceSid', serviceSidProblem(serviceSid));
  const user = settings.text('verifyUser', config['verifyUser']);
  refuse(settings, 'verifyUser', userProblem(user));
  const secret = settings.key('verifySecret', credentials['verifySecret'], secretProblem);
  const token = reader.settings();
  const entered = token.key('verifyAuthToken', credentials['verifyAuthToken'], authTokenProblem);
  const baseUrl = settings.text('verifyBaseUrl', config['verifyBaseUrl'], verifyBaseUrl);
  const asksSimulator = isSimulatorKey(secret);
  return {
    ...plainSettings,
    ...asking,
    asksSimulator,
    serviceSid,
    user,
    secret,
    // The account's own SID goes with its auth token.
    authToken: entered === '' && token.problem === undefined && isSid('AC', user) ? secret : entered,
    noAuthToken: token.problem,
    warnings: [token.problem, asksSimulator ? simulatorWarning(baseUrl) : undefined].filter(
      (text) => text !== undefined,
    ),
    lookup: settings.flag('verifyLookup', config['verifyLookup'], true),
    baseUrl,
    lookupsUrl: settings.text('verifyLookupsUrl', config['verifyLookupsUrl'], lookupsBaseUrl),
    tls: reader.tls(settings, config['tls']),
    proxy: reader.proxy(settings, config['proxy']),
    problem: settings.problem,
  };
}

/** One that cannot be read has been refused already. */
function refuse(settings: SettingsReader, setting: string, problem: string | undefined): void {
  if (settings.problem === undefined && problem !== undefined) settings.refuse(setting, problem);
}

/** What is wrong with the SID of a service, as a sentence; undefined if nothing is. */
export function serviceSidProblem(sid: string): string | undefined {
  return isSid('VA', sid) ? undefined : 'enter the SID of the Verify service: VA and 32 hexadecimal digits.';
}

/** The same for the SID that requests are made with. */
export function userProblem(sid: string): string | undefined {
  return isSid('SK', sid) || isSid('AC', sid)
    ? undefined
    : 'enter the SID of an API key, SK and 32 hexadecimal digits, or that of the account, AC and 32.';
}

/** The settings of an account that has none of its own, at Twilio's own addresses. */
export const plainSettings: VerifySettings = {
  serviceSid: '',
  user: '',
  secret: '',
  authToken: '',
  noAuthToken: undefined,
  simulator: undefined,
  lookup: true,
  hasOwnApp: false,
  baseUrl: verifyBaseUrl,
  lookupsUrl: lookupsBaseUrl,
  tls: undefined,
  proxy: undefined,
  warnings: [],
  name: 'verify',
  isSimulated: false,
};

/** Twilio's have 32 characters. */
const secretForm = /^[\x21-\x7e]{16,}$/;

/** What is wrong with a secret, as a sentence; undefined if nothing is. */
export function secretProblem(secret: string): string | undefined {
  return secretForm.test(secret)
    ? undefined
    : "copy the API key's secret, or the account's auth token, from the Twilio console.";
}

/** What is wrong with an auth token, as a sentence; undefined if nothing is. */
function authTokenProblem(token: string): string | undefined {
  return secretForm.test(token)
    ? undefined
    : 'copy the primary auth token of the account from the Twilio console.';
}
