/** A field of a protobuf message: a whole number, or text or bytes. Source: https://protobuf.dev/programming-guides/encoding */
export function field(number: number, value: bigint | string | Buffer): Buffer {
  if (typeof value === 'bigint') return Buffer.concat([varint(BigInt(number) << 3n), varint(value)]);
  const bytes = Buffer.from(value);
  return Buffer.concat([varint((BigInt(number) << 3n) | 2n), sized(bytes)]);
}

/** A field of eight bytes. */
export function fixed64(number: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return Buffer.concat([varint((BigInt(number) << 3n) | 1n), bytes]);
}

/** Bytes, and before them how many they are. */
export function sized(bytes: Buffer): Buffer {
  return Buffer.concat([varint(BigInt(bytes.length)), bytes]);
}

function varint(value: bigint): Buffer {
  const octets: number[] = [];
  let rest = value;
  do {
    octets.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(octets);
}
