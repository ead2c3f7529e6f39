/** The codes of the system, OpenSSL and Node.js for a failed connection, in words. */
const words: Readonly<Record<string, string>> = {
  EACCES: 'this machine does not allow the connection',
  EADDRNOTAVAIL: 'this machine has no port left for the connection',
  EAI_AGAIN: 'its name could not be looked up',
  ECONNABORTED: 'the connection was closed',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was closed',
  EHOSTUNREACH: 'there is no route to it',
  EMFILE: 'this machine has too many files and connections open',
  ENETUNREACH: 'there is no network',
  ENOTFOUND: 'there is no such name',
  EPERM: 'this machine does not allow the connection',
  EPIPE: 'the connection was closed',
  EPROTO: 'the other end does not speak TLS correctly',
  ETIMEDOUT: 'no connection in time',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet; check the clock',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an authority that is not known here',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is signed by an authority that is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by an authority that is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by an authority that is not known here',
};

/**
 * Why a connection failed, as a part of a sentence. The code follows, since people search for it; but not a code of undici,
 * which users do not know.
 *
 * @param code - the system's, OpenSSL's, Node.js's or undici's, `NOT_HTTP`, or `PROXY_HTTP_…`
 */
export function reasonOf(code: string): string {
  const [, status] = /^PROXY_HTTP_(\d+)$/.exec(code) ?? [];
  if (status !== undefined) return `the proxy answered HTTP ${status}`;
  if (code === 'NOT_HTTP' || code.startsWith('HPE_')) return 'the answer is not HTTP';
  if (code.startsWith('UND_ERR_')) return undiciWords[code] ?? 'the answer is not correct HTTP';
  const known = words[code];
  if (known !== undefined) return `${known}, ${code}`;
  return code === 'UNKNOWN' ? 'the connection failed' : `the connection failed, ${code}`;
}

/** Undici's own codes, except those that say that the answer was malformed. */
const undiciWords: Readonly<Record<string, string>> = {
  UND_ERR_ABORTED: 'the connection was closed',
  UND_ERR_CLOSED: 'the connection was closed',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_DESTROYED: 'the connection was closed',
  UND_ERR_SOCKET: 'the connection was closed',
};
