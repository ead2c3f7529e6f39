/** The tags of ASN.1. Source: ITU-T X.690, 8.3 and 8.9 */
const [integer, sequence] = [0x02, 0x30];

/**
 * Whether a signature by ES256 has the one form that it has in DER: a sequence of two numbers, and nothing else. Some readers take
 * others for it, and some do not: who has approved with one could say later that it was never right.
 *
 * Source: https://www.w3.org/TR/webauthn-3/#sctn-signature-attestation-types; RFC 3279, section 2.2.3
 */
export function isDerSignature(signature: Buffer): boolean {
  if (signature[0] !== sequence || signature[1] !== signature.length - 2) return false;
  const behindFirst = afterNumber(signature, 2);
  return behindFirst !== undefined && afterNumber(signature, behindFirst) === signature.length;
}

/** Where a positive number ends that begins at an index; undefined if there is none, or it is not written as short as it can be. */
function afterNumber(bytes: Buffer, at: number): number | undefined {
  const [tag, length = 0, first = 0x80, second = 0x80] = bytes.subarray(at, at + 4);
  const isShortest = first !== 0 || length === 1 || second >= 0x80;
  if (tag !== integer || length === 0 || first >= 0x80 || !isShortest) return undefined;
  return at + 2 + length;
}
