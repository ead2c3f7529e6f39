/**
 * User name and password of an address: percent-encoded characters are decoded, and a `%` that encodes nothing stands for
 * itself, since people paste passwords as they are.
 */
export function credentialsOf({ username, password }: URL): { username: string; password: string } {
  return { username: decoded(username), password: decoded(password) };
}

function decoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (bytes) => {
    try {
      return decodeURIComponent(bytes);
    } catch {
      return bytes;
    }
  });
}
