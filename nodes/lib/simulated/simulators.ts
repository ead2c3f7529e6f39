import { accountName } from '../contract/account-name';
import type { AccountReader, SettingsReader } from '../contract/service';
import type { Simulator, SimulatorOptions } from '../../simulator/simulator';

/** The settings of an account that its simulator takes. */
export type SimulatedSettings = Pick<SimulatorOptions, 'appName' | 'callbackUrl' | 'callbackMethod'>;

/**
 * The settings that every service's simulator takes: the account's name, by which its phone tells it from others; and where it
 * reports answers, an address, or a path of this Node-RED, which is found when it is called.
 *
 * @param config - of the account's node
 */
export function simulatedSettings(
  reader: AccountReader,
  settings: SettingsReader,
  config: Readonly<Record<string, unknown>>,
): SimulatedSettings {
  const address = settings.text('callbackUrl', config['callbackUrl']);
  return {
    appName: accountName(config),
    callbackUrl: address.startsWith('/') ? () => reader.ownAddress(address) : address || undefined,
  };
}

/**
 * The simulators of the accounts that chose one, by the account's node id. They outlive a deploy: otherwise their users,
 * messages and open approval requests would be lost each time a flow is changed.
 */
const simulators = new Map<string, Simulator>();

/**
 * Starts an account's simulator, or continues with the one it had.
 *
 * @returns the simulator and its base URL
 */
export async function startSimulator(
  accountId: string,
  options: SimulatorOptions,
): Promise<{ simulator: Simulator; url: string }> {
  // Loaded when it is asked for: most accounts never do.
  const { Simulator } = await import('../../simulator/simulator.js');
  // Not before: another one may have asked for it meanwhile.
  const known = simulators.get(accountId);
  const simulator = known ?? new Simulator(options);
  simulators.set(accountId, simulator);
  known?.configure(options);
  return { simulator, url: await simulator.listen() };
}

/** Stops listening; `forget` drops what the simulator holds as well. */
export async function stopSimulator(accountId: string, forget: boolean): Promise<void> {
  const simulator = simulators.get(accountId);
  if (forget) simulators.delete(accountId);
  await simulator?.close();
}

/** The simulator of an account, if it has one. */
export function simulatorOf(accountId: string): Simulator | undefined {
  return simulators.get(accountId);
}
