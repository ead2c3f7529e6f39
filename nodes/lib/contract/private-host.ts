/** Domains of private networks at home and at work. Source: RFC 6761, 6762, 8375; ICANN on .internal and .home. */
const notInPublicDns = ['localhost', 'local', 'home.arpa', 'internal', 'home', 'lan', 'localdomain']
  .map((domain) => domain.replace('.', '\\.'))
  .join('|');

const privateName = `[^.[\\]]+|.+\\.(?:${notInPublicDns})`;

/** Addresses that the public internet does not route, as a URL writes them. Source: RFC 1918, RFC 4193 */
const privateAddress =
  '10(?:\\.\\d+){3}|172\\.(?:1[6-9]|2\\d|3[01])(?:\\.\\d+){2}|192\\.168(?:\\.\\d+){2}|\\[f[cd][0-9a-f]{2}:.*\\]';

/** The host of a URL, as that writes it, which cannot be one of the public internet. The panel applies the same. */
export const privateHost = new RegExp(`^(?:${privateName}|${privateAddress})$`);

const wholePrivateName = new RegExp(`^(?:${privateName})$`);

/** Whether public DNS does not have a name: it has no dot, or ends in a domain of private networks. @param name - in lower case */
export function isPrivateName(name: string): boolean {
  return wholePrivateName.test(name);
}

/** Whether a host is this machine. @param hostname - of a URL, or an address */
export function isLoopback(hostname: string): boolean {
  return ['localhost', '::1', '[::1]'].includes(hostname) || /^127(?:\.[0-9]{1,3}){3}$/.test(hostname);
}
