import type { AuthenticatorCodes } from '../contract/approver';
import { AuthyError } from '../contract/errors';
import { callLimits } from '../contract/limits';
import type { ValuesOf } from '../contract/operations';
import type { PhoneRule } from '../contract/phone';
import type { OperationName } from '../contract/results';
import type { CallOptions, Performed, Service } from '../contract/service';
import { type Clock, realTime } from '../time';

/** So many operations are let in for each call that may run at once: the others of them wait within their deadline. */
const letInPerCall = 5;

/** How much the values of those that wait may hold together, in characters of JSON. */
const mostCharacters = 16 * 1024 * 1024;

interface Limits {
  /** Calls running at once. */
  readonly maxInFlight: number;
  /** Operations that wait for their turn; 0: all begin at once. */
  readonly maxQueued: number;
}

interface Waiting {
  readonly begin: () => void;
  readonly end: (error: AuthyError) => void;
}

/**
 * Lets the operations of an account begin one after the other where a flow asks for many at once, such as one for each row of a
 * list. The deadline of an operation begins with its turn. One with a deadline of its own does not wait: it belongs to
 * somebody who waits for it, such as a gate whose time is about to be over.
 */
class Queue {
  private running = 0;
  private characters = 0;
  private readonly waiting = new Set<Waiting>();
  private readonly letIn: number;
  private isClosed = false;

  constructor(
    private readonly limits: Limits,
    private readonly time: Pick<Clock, 'after'>,
  ) {
    this.letIn = limits.maxInFlight * letInPerCall;
  }

  /**
   * Carries out an operation when it is its turn, first come first served.
   *
   * @throws AuthyError - those of the operation; `AUTHY_BUSY` if too many wait, or it has waited for too long; `AUTHY_CANCELLED` if
   *   its node or the account is closed first. Nothing was sent then.
   */
  async run<T>(values: object, options: CallOptions, operation: () => Promise<T>): Promise<T> {
    if (this.limits.maxQueued === 0 || options.deadline !== undefined || options.isAdmitted === true)
      return operation();
    if (this.running < this.letIn) this.running += 1;
    else await this.turn(JSON.stringify(values).length, options);
    try {
      return await operation();
    } finally {
      this.leave();
    }
  }

  /** Ends those that wait. */
  close(): void {
    this.isClosed = true;
    for (const { end } of [...this.waiting]) end(closed());
  }

  private async turn(size: number, { signal, onCancelled, onQueued }: CallOptions): Promise<void> {
    if (this.isClosed || signal?.aborted === true) throw closed();
    if (this.waiting.size >= this.limits.maxQueued || this.characters + size > mostCharacters) {
      throw new AuthyError(
        'AUTHY_BUSY',
        'Slow the flow down, for example with a delay node, or let more messages wait in the account: ' +
          `${this.running} are under way and ${this.waiting.size} wait. Nothing was sent.`,
      );
    }
    this.characters += size;
    onQueued?.(true);
    let stop: (() => void) | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        // Whoever has ended is out of the line at once: no place may go to them.
        const end = (error: AuthyError): void => {
          this.waiting.delete(one);
          reject(error);
        };
        const one: Waiting = { begin: resolve, end };
        const stopWaiting = this.time.after(callLimits.longestWait * 1000, () => end(waitedTooLong()));
        const abort = (): void => {
          const error = closed();
          onCancelled?.(error);
          end(error);
        };
        signal?.addEventListener('abort', abort, { once: true });
        this.waiting.add(one);
        stop = () => {
          stopWaiting();
          signal?.removeEventListener('abort', abort);
        };
      });
    } finally {
      stop?.();
      this.characters -= size;
      onQueued?.(false);
    }
  }

  /** The place goes straight to the next in line, so that no other can overtake. */
  private leave(): void {
    const [next] = this.waiting;
    if (next === undefined) {
      this.running -= 1;
      return;
    }
    this.waiting.delete(next);
    next.begin();
  }
}

/** A service whose operations wait for their turn. */
export class QueuedService implements Service {
  readonly authenticators?: AuthenticatorCodes;
  private readonly queue: Queue;

  constructor(
    private readonly service: Service,
    limits: Limits,
    time: Pick<Clock, 'after'> = realTime,
  ) {
    if (service.authenticators !== undefined) this.authenticators = service.authenticators;
    this.queue = new Queue(limits, time);
  }

  get phones(): PhoneRule {
    return this.service.phones;
  }

  perform<N extends OperationName>(
    name: N,
    values: ValuesOf<N>,
    options: CallOptions = {},
  ): Promise<Performed<N>> {
    return this.queue.run(values, options, () => this.service.perform(name, values, options));
  }

  test(): Promise<string> {
    return this.service.test();
  }

  close(): void {
    this.queue.close();
    this.service.close();
  }
}

function closed(): AuthyError {
  return new AuthyError(
    'AUTHY_CANCELLED',
    'Send the message again: its node or account was closed while it waited for its turn. Nothing was sent.',
  );
}

function waitedTooLong(): AuthyError {
  return new AuthyError(
    'AUTHY_BUSY',
    `Slow the flow down, for example with a delay node: the message has waited ${callLimits.longestWait / 60} minutes for its ` +
      'turn. Nothing was sent.',
  );
}
