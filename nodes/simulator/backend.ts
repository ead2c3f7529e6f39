import type { Faults } from './faults';
import type { Languages } from '../lib/texts/languages';
import type { Settings } from './settings';
import type { State } from './state/state';

/** The state that endpoints and control interface work on. */
export interface Backend {
  readonly state: State;
  readonly settings: Readonly<Settings>;
  readonly faults: Faults;
  readonly languages: Languages;
  /** Writes a line about an event. */
  readonly log: (line: string) => void;
  /** Ends running callbacks, late ones too. */
  readonly stop: () => AbortSignal;
}
