import { randomUUID } from 'node:crypto';
import { BoundedMap } from './bounded';
import { capacities } from './limits';

/** The content of a picture, and its size. */
export interface QrCode {
  readonly text: string;
  /** Width and height in pixels. */
  readonly size: number;
}

/** The QR codes that were asked for. Each is found by an id that cannot be guessed: its text is a secret. */
export class QrCodes {
  private readonly byId = new BoundedMap<string, QrCode>(capacities.qrCodes);

  get(id: string): QrCode | undefined {
    return this.byId.get(id);
  }

  /** @returns its id */
  add(code: QrCode): string {
    const id = randomUUID();
    this.byId.set(id, code);
    return id;
  }

  clear(): void {
    this.byId.clear();
  }
}
