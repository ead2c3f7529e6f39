import type { SecureContextOptions } from 'node:tls';
import { type SimulatedSettings, simulatedSettings } from '../../simulated/simulators';
import type { AccountReader, ProxySetting, ServiceSettings, SettingsReader } from '../../contract/service';
import { isSimulatorKey, simulatorWarning } from '../../contract/simulator-key';
import { apiKeyProblem } from './api-key';
import { authyBaseUrl } from './endpoint';

/** The settings of an account on Authy. */
export interface AuthySettings extends ServiceSettings {
  /** Empty if there is none. */
  readonly apiKey: string;
  /** Why there is no key although something was entered; a sentence. */
  readonly noApiKey: string | undefined;
  /** Still accepted in callbacks while the key is being changed; may be empty. */
  readonly previousApiKey: string;
  readonly baseUrl: string;
  readonly pathPrefix: string;
  readonly tls: SecureContextOptions | undefined;
  readonly proxy: ProxySetting | undefined;
  /** The simulator's settings, if the account uses it instead of Authy. */
  readonly simulator: SimulatedSettings | undefined;
}

/** The settings of an account that has nothing but a key, at Authy's own address. */
export function plainSettings(apiKey: string): AuthySettings {
  return {
    apiKey,
    noApiKey: undefined,
    previousApiKey: '',
    baseUrl: authyBaseUrl,
    pathPrefix: '',
    tls: undefined,
    proxy: undefined,
    simulator: undefined,
    warnings: [],
    name: 'authy',
    isSimulated: false,
  };
}

type Raw = Readonly<Record<string, unknown>>;

/** Reads the settings that the account uses: fields hidden in its panel do not count. */
export function readSettings(reader: AccountReader, config: Raw, credentials: Raw): AuthySettings {
  const [settings, current, previous] = [reader.settings(), reader.settings(), reader.settings()];
  const apiKey = current.key('apiKey', credentials['apiKey'], apiKeyProblem);
  if (settings.flag('simulated', config['simulated'], false)) {
    const unused = current.problem && `${current.problem} The simulator goes on with a key of its own.`;
    return {
      ...plainSettings(apiKey),
      simulator: simulatorSettings(reader, settings, config),
      name: 'simulator',
      isSimulated: true,
      problem: settings.problem,
      warnings: given([unused]),
    };
  }
  const baseUrl = settings.text('baseUrl', config['baseUrl'], authyBaseUrl);
  const asksSimulator = isSimulatorKey(apiKey);
  return {
    ...plainSettings(apiKey),
    asksSimulator,
    noApiKey: current.problem,
    previousApiKey: previous.key('previousApiKey', credentials['previousApiKey'], apiKeyProblem),
    baseUrl,
    pathPrefix: settings.text('pathPrefix', config['pathPrefix']),
    tls: reader.tls(settings, config['tls']),
    proxy: reader.proxy(settings, config['proxy']),
    problem: settings.problem,
    warnings: given([
      current.problem,
      previous.problem,
      asksSimulator ? simulatorWarning(baseUrl) : undefined,
    ]),
  };
}

function simulatorSettings(
  reader: AccountReader,
  settings: SettingsReader,
  config: Raw,
): AuthySettings['simulator'] {
  return {
    ...simulatedSettings(reader, settings, config),
    callbackMethod: settings.choice('callbackMethod', config['callbackMethod'], ['POST', 'GET']),
  };
}

function given(texts: readonly (string | undefined)[]): string[] {
  return texts.filter((text) => text !== undefined);
}
