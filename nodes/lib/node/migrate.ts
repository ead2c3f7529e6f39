type Saved = Readonly<Record<string, unknown>>;

/** By version: the step that makes the next version of it. The editor does the same (`authy-editor.html`). */
const steps: readonly ((saved: Saved) => Saved)[] = [
  // Before there was a version, the simulator was a separate service.
  (saved) => (saved['service'] === 'simulator' ? { ...saved, service: 'authy', simulated: true } : saved),
];

/**
 * The settings of an account as this version has them. Settings of an older one are read as they were meant, never guessed.
 *
 * @param saved - as the flow has them; without a version they are those of version 1
 */
export function migrated<Config extends object>(saved: Config): Config {
  const { version = 1 } = saved as { version?: unknown };
  // What a newer package saved is read as far as it goes: its settings are looked at one by one.
  const isOld = (saved as Saved)['service'] === 'simulator';
  // That name is none of a later version; an environment variable may hold it all the same.
  const from = typeof version === 'number' && version >= 1 && !isOld ? version : 1;
  let settings = saved as Saved;
  for (const step of steps.slice(from - 1)) settings = step(settings);
  return settings as Config;
}
