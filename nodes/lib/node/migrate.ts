type Saved = Readonly<Record<string, unknown>>;

/**
 * The settings of an account as this version, 3, has them. Settings of an older one are read as they were meant, never guessed.
 * The editor does the same (`authy-config.html`).
 *
 * @param saved - as the flow has them; without a version they are those of version 1
 */
export function migrated<Config extends object>(saved: Config): Config {
  return withCallbacks(withService(saved as Saved)) as Config;
}

/** Before version 2, the simulator was a separate service. That name is none of a later version, but a variable may hold it. */
function withService(saved: Saved): Saved {
  return saved['service'] === 'simulator' ? { ...saved, service: 'authy', simulated: true } : saved;
}

/** Before version 3, a simulator without an address for its callbacks had this one. */
function withCallbacks(saved: Saved): Saved {
  const { version, callbackUrl } = saved;
  // What a newer package saved is read as far as it goes: its settings are looked at one by one.
  if (typeof version === 'number' && version >= 3) return saved;
  return (callbackUrl ?? '') === '' ? { ...saved, callbackUrl: '/authy/callback' } : saved;
}
