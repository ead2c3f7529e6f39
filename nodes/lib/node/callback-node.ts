import type { ServerResponse } from 'node:http';
import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { type Account, accountOf, chosenAccount } from '../account/account';
import { AuthyError, refusedInput } from '../contract/errors';
import { secondsText } from '../contract/sentences';
import type {
  ApprovalAnswer,
  CallbackRequest,
  CallbackVerdict,
  CallbackVerifier,
  Rejection,
} from '../contract/service';
import { type Addresses, addressesOf, type ReceivedAt } from '../server/request-address';
import { sendJson } from '../server/send';
import type { Ledger } from '../storage/ledger';
import { callbackFacts } from './answer-facts';
import { Badge } from './badge';
import { labelOf } from './labels';
import { PublicUrl, PublicUrlUnknown } from './public-url';
import { RateLimitedLog } from './rate-limited-log';
import { Settings } from './settings';

/** The settings of the node. */
export interface CallbackNodeDef extends NodeDef {
  account: string;
  publicUrl: string;
  publicUrlType: string;
  trustForwarded: unknown;
  strict: unknown;
  freshness: unknown;
  /** In seconds. */
  freshnessWindow: unknown;
  /** In KiB. */
  maxSize: unknown;
}

/** Their names. */
export const callbackSettings = Object.keys({
  account: 0,
  publicUrl: 0,
  publicUrlType: 0,
  trustForwarded: 0,
  strict: 0,
  freshness: 0,
  freshnessWindow: 0,
  maxSize: 0,
} satisfies Record<Exclude<keyof CallbackNodeDef, keyof NodeDef>, 0>);

/** A message of an http in node. */
interface HttpMessage extends NodeMessageInFlow {
  req: ReceivedAt & Pick<CallbackRequest, 'method' | 'body'>;
  res?: { _res: ServerResponse };
}

type Outcome = 'approved' | 'denied' | 'rejected';

/** Where a message goes, and what the badge says. */
interface Judgement {
  readonly outcome: Outcome;
  readonly word: Outcome | 'publicUrlUnknown';
}

const outputs: readonly Outcome[] = ['approved', 'denied', 'rejected'];

const fills = { approved: 'green', denied: 'yellow', rejected: 'red' } as const;

/** Validates a message of an http in node, and says by which output it leaves. */
export class CallbackValidator {
  private readonly badge: Badge;
  private readonly log: RateLimitedLog;
  private readonly publicUrl: PublicUrl;
  private readonly trustForwarded: boolean;
  private readonly strict: boolean;
  /** In bytes. */
  private readonly maxSize: number;
  private readonly freshness: 'off' | 'warn' | 'enforce';
  /** In seconds. */
  private readonly freshnessWindow: number;
  /** Why no callback can be judged, if so; a sentence. */
  private readonly problem: string | undefined;

  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
    private readonly config: CallbackNodeDef,
  ) {
    this.publicUrl = new PublicUrl(RED, node, {
      value: config.publicUrl,
      type: config.publicUrlType,
    });
    this.badge = new Badge(RED, node, config.account);
    this.log = new RateLimitedLog((line) => node.warn(line));
    const settings = new Settings((setting) => labelOf(RED, node.type, setting));
    this.trustForwarded = settings.flag('trustForwarded', config.trustForwarded, false);
    this.strict = settings.flag('strict', config.strict, false);
    this.maxSize = settings.number('maxSize', config.maxSize) * 1024;
    this.freshness = settings.choice('freshness', config.freshness, ['off', 'warn', 'enforce']);
    this.freshnessWindow =
      this.freshness === 'off' ? Infinity : settings.number('freshnessWindow', config.freshnessWindow);
    this.problem = settings.problem;
    if (this.problem !== undefined) {
      node.warn(this.problem);
      this.badge.error(new AuthyError('AUTHY_BAD_CONFIG', this.problem));
    } else if (this.publicUrl.problem !== undefined) {
      node.warn(`${this.publicUrl.problem.message}; until then every callback is rejected.`);
      this.badge.wrong('publicUrlUnknown');
    } else {
      const noCallbacks = this.account()?.noCallbacks;
      if (noCallbacks === undefined) return;
      node.warn(noCallbacks);
      this.badge.failed(new AuthyError('AUTHY_NOT_SUPPORTED', noCallbacks));
    }
  }

  /**
   * Handles one message; rejects only if it did not come from an http in node.
   */
  async input(
    message: NodeMessageInFlow,
    send: (messages: (NodeMessageInFlow | null)[]) => void,
  ): Promise<void> {
    this.badge.begin();
    try {
      if (!isHttpMessage(message)) {
        throw refusedInput(
          'req',
          'Wire this node directly behind an http in node: msg.req is missing, and it validates what such a node received.',
          'MISSING',
        );
      }
      const judgement = await this.judge(message);
      if (judgement === 'duplicate' || judgement === 'ignored') {
        this.badge.outcome('yellow', judgement);
        acknowledge(message.res?._res);
        return;
      }
      const { outcome, word } = judgement;
      this.badge.outcome(fills[outcome], word);
      send(outputs.map((output) => (output === outcome ? message : null)));
    } catch (error) {
      this.badge.error(error);
      throw error;
    }
  }

  close(): void {
    this.log.close();
    this.badge.clear();
  }

  /** Verifies a callback, sets the result in the message, and says where it goes. */
  private async judge(message: HttpMessage): Promise<Judgement | 'duplicate' | 'ignored'> {
    if (this.problem !== undefined) return this.reject(message, 'badConfig', this.problem);
    const publicUrl = await this.publicUrl.of(message);
    if (publicUrl instanceof PublicUrlUnknown) {
      return this.reject(message, 'publicUrlUnknown', publicUrl.message);
    }
    const { request, addresses } = this.received(message, publicUrl);
    const verifier = await this.verifier();
    const verdict = await verifier.verify(request, this.maxSize);
    if ('ignored' in verdict) return 'ignored';
    if (!verdict.accepted) {
      // This computes many more signatures: only if somebody will read it.
      const other =
        verdict.reason === 'signatureMismatch' && !this.log.holds(verdict.reason)
          ? verifier.signedFor(request, this.maxSize, addresses.candidates)
          : undefined;
      const hint = other === undefined ? '' : `; it was signed for ${other}: set that as the public URL`;
      return this.reject(message, verdict.reason, verdict.detail + hint);
    }

    const { answer } = verdict;
    const age = Math.abs(Date.now() / 1000 - answer.nonce);
    if (age > this.freshnessWindow) {
      const detail = `its time is ${secondsText(Math.round(age))} away from this machine's clock`;
      if (this.freshness === 'enforce') return this.reject(message, 'stale', detail);
      this.log.write('stale', `OneTouch callback accepted, although ${detail}.`);
    }

    const account = this.account();
    const standing = await this.standingOf(answer, account?.stores.ledger);
    if (standing === 'duplicate') return 'duplicate';
    if (standing !== undefined) return this.reject(message, ...standing);
    this.accept(message, answer);
    account?.answered(answer);
    return { outcome: answer.decision, word: answer.decision };
  }

  /** Checks the answer against the request and earlier answers to it; undefined if nothing speaks against it. */
  private async standingOf(
    { approvalId, authyId, decision }: ApprovalAnswer,
    ledger: Ledger | undefined,
  ): Promise<'duplicate' | [Rejection, string] | undefined> {
    try {
      if (this.strict && (await ledger?.recipientOf(approvalId)) !== authyId) {
        return ['notAsked', 'this Node-RED did not send such a request to this user'];
      }
      const occurrence = await ledger?.decided(approvalId, decision);
      if (occurrence === 'duplicate') return 'duplicate';
      if (occurrence === 'conflict') {
        return ['conflict', `it says ${decision}, and the opposite was received before`];
      }
      return undefined;
    } catch (error) {
      return ['storeUnavailable', (error as Error).message];
    }
  }

  private accept(message: HttpMessage, answer: ApprovalAnswer): void {
    const { approvalId, authyId, decision, about, body } = answer;
    message.payload = { status: decision, approvalId, authyId, ...about };
    message['approvalId'] = approvalId;
    message['authyId'] = authyId;
    message['authy'] = callbackFacts(this.node, this.account(), { response: body });
    message['statusCode'] = 200;
  }

  /** The sender learns nothing but that it was refused; the reason is for the flow and the log. */
  private reject(message: HttpMessage, reason: Rejection, detail: string): Judgement {
    const event =
      reason === 'conflict' ? 'Security event: OneTouch callback rejected' : 'OneTouch callback rejected';
    this.log.write(reason, `${event} (${reason}): ${detail.replace(/\.$/, '')}.`);
    const isOurFault = reason === 'storeUnavailable' || reason === 'statusUnreadable';
    message.payload = { error: isOurFault ? 'Service Unavailable' : 'Forbidden' };
    message['authy'] = callbackFacts(this.node, this.account(), { reason });
    message['statusCode'] = isOurFault ? 503 : 403;
    return { outcome: 'rejected', word: reason === 'publicUrlUnknown' ? reason : 'rejected' };
  }

  /** The request with the address that Authy knows, and other addresses that it might have been signed for. */
  private received(
    { req }: HttpMessage,
    publicUrl: string | undefined,
  ): { request: CallbackRequest; addresses: Addresses } {
    const addresses = addressesOf(req, publicUrl, this.trustForwarded);
    const { url, query } = addresses;
    return { request: { method: req.method, headers: req.headers, url, query, body: req.body }, addresses };
  }

  private account(): Account | undefined {
    return accountOf(this.RED, this.config.account);
  }

  /** A missing account or key is a rejection like any other: the sender must get its answer. */
  private async verifier(): Promise<CallbackVerifier> {
    try {
      const account = chosenAccount(this.RED, this.config.account);
      return (await account.callbacks()) ?? rejecting(account.noCallbacks ?? '', 'badConfig');
    } catch (error) {
      return rejecting((error as Error).message);
    }
  }
}

/** A verifier that rejects everything, since nothing can be verified. */
function rejecting(detail: string, reason: Rejection = 'noApiKey'): CallbackVerifier {
  const verdict: CallbackVerdict = { accepted: false, reason, detail };
  return { verify: () => verdict, signedFor: () => undefined };
}

/**
 * Answers 200 to a repeated callback, so that its sender stops repeating it, unless another wire has answered already.
 */
function acknowledge(response: ServerResponse | undefined): void {
  if (response?.headersSent === false) sendJson(response, 200, {});
}

function isHttpMessage(message: NodeMessageInFlow): message is HttpMessage {
  const request = message['req'] as Partial<HttpMessage['req']> | undefined;
  return (
    typeof request === 'object' && typeof request.method === 'string' && typeof request.headers === 'object'
  );
}
