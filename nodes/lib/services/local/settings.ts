import { accountName } from '../../contract/account-name';
import type { AccountReader, ServiceSettings } from '../../contract/service';
import { approverSettings } from '../../people/approver-settings';

/** The longest name: authenticator apps show it beside each code. */
const longestName = 64;

/** The settings of an account on this Node-RED. */
export interface LocalSettings extends ServiceSettings {
  /** What people see in messages and in their authenticator app. */
  readonly displayName: string;
}

type Raw = Readonly<Record<string, unknown>>;

const fallback = 'Node-RED';

/** Reads the settings of an account. Without a name for people they see that of the account. Never throws. */
export function readSettings(reader: AccountReader, config: Raw): LocalSettings {
  const settings = reader.settings();
  const entered = settings.text('localName', config['localName']).trim();
  const problem = nameProblem(entered);
  if (problem !== undefined) settings.refuse('localName', problem);
  const named = withName(entered === '' ? accountName(config) : entered);
  return {
    ...named,
    approver: approverSettings(settings, config, named.displayName),
    problem: settings.problem,
  };
}

/** What is wrong with a name, as a sentence; undefined if nothing is. */
export function nameProblem(name: string): string | undefined {
  return name.length > longestName ? `enter a name of at most ${longestName} characters.` : undefined;
}

/** Settings with a name. */
export function withName(name: string): LocalSettings {
  const displayName = name.slice(0, longestName);
  return {
    displayName: displayName === '' ? fallback : displayName,
    warnings: [],
    name: 'local',
    isSimulated: false,
  };
}
