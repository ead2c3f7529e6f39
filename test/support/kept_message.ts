import { deepStrictEqual } from 'node:assert/strict';
import { readMessage, writeMessage } from '../../nodes/lib/storage/storable';

/** A picture of one pixel. */
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=',
  'base64',
);

function message(): object {
  return {
    payload: png,
    when: new Date('2026-03-01T12:00:00.123Z'),
    doors: new Map<string, unknown>([['garage', new Set(['open', 'shut'])]]),
    samples: new Float32Array([0.5, -1]),
    failure: Object.assign(new TypeError('no line'), { code: 'ENOLINE', stack: 'TypeError: no line' }),
  };
}

/** A message with what JSON cannot hold, as a record has it. */
export function richMessage(): string {
  return writeMessage(message());
}

/** Throws if a record does not have the message of {@link richMessage}, value by value. */
export function checkRichMessage(text: string | undefined): void {
  deepStrictEqual(readMessage(text ?? ''), message());
}
