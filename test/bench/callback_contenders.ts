import { createHmac, timingSafeEqual } from 'node:crypto';
import type { CallbackRequest, CallbackVerdict } from '../../nodes/lib/contract/service';
import { canonicalParams } from '../../nodes/lib/services/authy/callback/signature';
import { callbackKey, callbackNonce, callbackUrl, signedCallback } from '../support/signed_callback';
import { verifyCallback } from './built';
import { callbackParams } from './callback_body';
import type { Contender } from './contest';
import { processorTime } from './processor_time';

export const acceptedName = 'accepted';
export const forgedName = 'forged';
export const unsignedName = 'no signature header';
export const hmacName = 'bare HMAC of the ready string';
export const limitName = 'JSON.parse and bare HMAC';
export const theirCheckName = "authy-client's signature check alone";
export const theirVerifyName = "authy-client's verifyCallback";

const params = callbackParams();
const genuine = signedCallback(params, 'raw');
const signature = String(genuine.headers['x-authy-signature']);
const wrongSignature = signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'));

/** The rules that the node passes: one key, and the default limit of its panel, 64 KiB. */
const rules = { apiKeys: [callbackKey], maxSize: 64 * 1024 };

/** How long a contender works in a round, in milliseconds of processor time. */
const roundTime = 100;
/** How many checks are made between two readings of the clock. */
const batch = 50;

function withSignature(value: string | undefined): CallbackRequest {
  return { ...genuine, headers: { ...genuine.headers, 'x-authy-signature': value } };
}

/** A contender whose check is synchronous; it measures checks per second of processor time. */
function contender(name: string, check: () => boolean): Contender {
  return {
    name,
    measure() {
      let done = 0;
      const started = processorTime();
      while (processorTime() - started < roundTime) {
        for (let no = 0; no < batch; no++) if (!check()) throw new Error(`${name}: a wrong verdict.`);
        done += batch;
      }
      return (done * 1000) / (processorTime() - started);
    },
  };
}

/** Our check, of the raw body that an http in node delivers. */
export function ourContenders(): Contender[] {
  const forged = withSignature(wrongSignature);
  const unsigned = withSignature(undefined);
  const reason = (verdict: CallbackVerdict): string => (verdict.accepted ? '' : verdict.reason);
  return [
    contender(acceptedName, () => verifyCallback(genuine, rules).accepted),
    contender(forgedName, () => reason(verifyCallback(forged, rules)) === 'signatureMismatch'),
    contender(unsignedName, () => reason(verifyCallback(unsigned, rules)) === 'noSignature'),
  ];
}

/**
 * The least that any validation has to do: the HMAC of a string that is ready, compared in constant time; and the same
 * after the body has been parsed, which is the limit for any.
 */
export function bareContenders(): Contender[] {
  const signed = `${callbackNonce}|POST|${callbackUrl}|${canonicalParams(params)}`;
  const received = Buffer.from(signature);
  const isSigned = (): boolean => {
    const expected = createHmac('sha256', callbackKey).update(signed).digest('base64');
    return timingSafeEqual(Buffer.from(expected), received);
  };
  return [
    contender(hmacName, isSigned),
    contender(limitName, () => JSON.parse(String(genuine.body)) !== null && isSigned()),
  ];
}

/** The request that authy-client takes: one of Express, with a parsed body. */
interface ParsedRequest {
  body: unknown;
  headers: Readonly<Record<string, unknown>>;
  method: string;
  protocol: string;
  url: string;
}

/** The parts of authy-client that check callbacks, with the key they were given. */
export interface TheirParts {
  /** Rejects if the callback is not genuine. */
  verifyCallback(request: ParsedRequest): PromiseLike<unknown>;
  /** Throws if the signature is wrong. */
  checkSignature(request: ParsedRequest, signature: string): boolean;
}

/** The checks of authy-client. They get the body parsed: the parsing is not counted. */
export function theirContenders(theirs: TheirParts): Contender[] {
  const { protocol, host, pathname } = new URL(callbackUrl);
  const request: ParsedRequest = {
    body: JSON.parse(JSON.stringify(params)) as unknown,
    headers: { ...genuine.headers, host },
    method: 'POST',
    protocol: protocol.replace(':', ''),
    url: pathname,
  };
  return [
    contender(theirCheckName, () => theirs.checkSignature(request, signature)),
    {
      name: theirVerifyName,
      async measure() {
        let done = 0;
        const started = processorTime();
        for (; processorTime() - started < roundTime; done += batch) {
          for (let no = 0; no < batch; no++) await theirs.verifyCallback(request);
        }
        return (done * 1000) / (processorTime() - started);
      },
    },
  ];
}
