/** The name that an account has in the editor; blank if it has none. @param config - of its node */
export function accountName(config: Readonly<Record<string, unknown>>): string {
  const { name } = config;
  return typeof name === 'string' ? name.trim() : '';
}
