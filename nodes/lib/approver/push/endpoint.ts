import dns from 'node:dns/promises';
import net, { BlockList, type LookupFunction } from 'node:net';
import { newSubscription, PushRefused } from './refused';
import { isUrl } from '../../contract/url';

/** An address of a host. */
export interface HostAddress {
  readonly address: string;
  readonly family: number;
}

/** All addresses of a host. @throws Error - with the system's `code` */
export type Lookup = (name: string) => Promise<readonly HostAddress[]>;

const longestEndpoint = 1000;

/** Two labels or more: a single one is a name of this network. */
const hostForm = /^(?=.{1,253}$)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+$/;

/**
 * Reads the endpoint of a subscription. It comes from a browser, and we call it: so it must not lead us into our own network
 * (SSRF). There is no list of push services to choose from: browsers use hosts that are documented nowhere.
 *
 * @throws PushRefused - unless it is https on the default port of a named host, and in the form that browsers give it
 */
export function readEndpoint(endpoint: string): URL {
  if (endpoint.length > longestEndpoint) {
    throw refused(`the push address is longer than ${longestEndpoint} characters`);
  }
  if (!isUrl(endpoint)) throw refused('it has no address');
  const url = new URL(endpoint);
  if (url.protocol !== 'https:') throw refused('the push address does not begin with https://');
  // Other readers could see another host in it than we do.
  if (url.href !== endpoint) throw refused('the push address is not written as browsers write it');
  if (url.username !== '' || url.password !== '') {
    throw refused('the push address has a user name or password');
  }
  if (url.port !== '') throw refused('the push address has a port');
  if (endpoint.includes('#')) throw refused('the push address has a fragment');
  // The URL has brought every way to write an IPv4 address into one form.
  if (net.isIP(url.hostname) !== 0 || !hostForm.test(url.hostname)) {
    throw refused('the push address has no host name that the internet knows');
  }
  return url;
}

function refused(why: string): PushRefused {
  return new PushRefused(`${newSubscription}: ${why}.`);
}

/**
 * Looks a host up, once.
 *
 * @param allows - whether an address may be connected to
 * @returns the push addresses, for {@link answeredBy}: nothing but these may be connected to
 * @throws PushRefused - if one of them is not allowed; Error - with the system's `code`
 */
export async function checkedAddresses(
  name: string,
  lookup: Lookup,
  allows: (address: string) => boolean,
): Promise<readonly HostAddress[]> {
  const addresses = await lookup(name);
  if (addresses.length === 0) throw refused(`${name} has no address`);
  // If one is wrong, whoever answers for the name is not to be trusted with the others.
  for (const { address } of addresses) {
    if (!allows(address)) {
      throw new PushRefused(
        `Check who answers for ${name}, such as a filter for advertisements: its address ${address} is not public.`,
      );
    }
  }
  return addresses;
}

/** Asks the system, which also knows its hosts file. */
export const systemLookup: Lookup = (name) => dns.lookup(name, { all: true });

/**
 * A lookup for a socket that answers with what is known already. A second one could be answered differently (DNS rebinding).
 *
 * @param addresses - at least one
 */
export function answeredBy(addresses: readonly HostAddress[]): LookupFunction {
  return (_, { all }, callback) => {
    const [first] = addresses;
    if (all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  };
}

function listOf(family: 'ipv4' | 'ipv6', subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = '', prefix] = subnet.split('/');
    list.addSubnet(network, Number(prefix), family);
  }
  return list;
}

// One list for each family: a list of IPv6 that has ::ffff:0:0/96 in it would have all of IPv4.

/** Source: https://www.iana.org/assignments/iana-ipv4-special-registry */
const notPublic4 = listOf('ipv4', [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // shared by customers of a provider; Tailscale
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local; data of cloud machines
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocols
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // relays of 6to4
  '192.168.0.0/16', // private
  '198.18.0.0/15', // measurements
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved; broadcast
]);

/**
 * Nothing else is given out on the public internet: not loopback, unique local, link-local, multicast, and no IPv4 address in a
 * form of IPv6. Source: https://www.iana.org/assignments/ipv6-address-space
 */
const global6 = listOf('ipv6', ['2000::/3']);

/** Source: https://www.iana.org/assignments/iana-ipv6-special-registry */
const notPublic6 = listOf('ipv6', [
  '2001::/23', // protocols; Teredo, which carries IPv4 addresses
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4, which carries IPv4 addresses
  '3fff::/20', // documentation
]);

/** Networks that have IPv6 alone reach IPv4 by these addresses: the last 32 bits are the one of IPv4. Source: RFC 6052. */
const translated = listOf('ipv6', ['64:ff9b::/96']);

/** Whether an address belongs to the public internet, and not to this machine, its network or its provider. */
export function isPublicAddress(address: string): boolean {
  if (net.isIPv4(address)) return !notPublic4.check(address, 'ipv4');
  // A zone, as in fe80::1%eth0, is one of this machine.
  if (!net.isIPv6(address) || address.includes('%')) return false;
  if (translated.check(address, 'ipv6')) return isPublicAddress(lastFourBytes(address));
  return global6.check(address, 'ipv6') && !notPublic6.check(address, 'ipv6');
}

/** The last 32 bits of an IPv6 address, as an IPv4 address. */
function lastFourBytes(address: string): string {
  // The URL knows all forms of IPv6 addresses, and has one.
  const { hostname } = new URL(`http://[${address}]`);
  const [high = '', low = ''] = hostname.slice(1, -1).split(':').slice(-2);
  const number = (parseInt(high || '0', 16) * 0x10000 + parseInt(low || '0', 16)) >>> 0;
  return [24, 16, 8, 0].map((bits) => (number >>> bits) & 0xff).join('.');
}
