import { AuthyError } from '../../../contract/errors';
import { isObject, type JsonObject, member, objectOrNull, textOrNull } from '../../../contract/json';
import type {
  ApprovalAnswer,
  CallbackRequest,
  CallbackVerdict,
  CallbackVerifier,
  Environment,
  IgnoredCallback,
  Performed,
  Rejection,
  Service,
} from '../../../contract/service';
import { uuidOf } from '../sids';
import { type ChallengeEvent, readEvent } from './event';
import type { Parameters } from './parameters';
import { addressSignedFor, verifyWebhook, type WebhookRules } from './signature';

type Refused = Extract<CallbackVerdict, { accepted: false }>;
type Reading = Performed<'onetouchStatus'>;

/** How many readings are kept. One that is not kept is made again. */
const mostReadings = 500;

/**
 * Verifies the webhooks of Verify Push. A webhook says only that there is something to be read: what was decided, and when,
 * is what Twilio's API says of the challenge.
 *
 * Source: https://www.twilio.com/docs/verify/api/webhooks
 */
export class VerifyWebhooks implements CallbackVerifier {
  /** Those under way, and those of decided challenges; by approval id, the oldest first. */
  private readonly readings = new Map<
    string,
    { readonly recipient: string; readonly reading: Promise<Reading> }
  >();

  /**
   * @param authToken - the primary one of the account; undefined if there is none
   * @param noAuthToken - why, or what to do
   * @param service - reads the status of a challenge
   * @param recipientOf - who was asked by an approval request; undefined if that is not known (any more)
   */
  constructor(
    private readonly authToken: string | undefined,
    private readonly noAuthToken: string,
    private readonly service: () => Promise<Service>,
    private readonly recipientOf: Environment['recipientOf'],
  ) {}

  async verify(request: CallbackRequest, maxSize: number): Promise<CallbackVerdict | IgnoredCallback> {
    const verdict = verifyWebhook(request, this.rules(request, maxSize));
    if (!verdict.ok) {
      return verdict.reason === 'noApiKey'
        ? refused('noApiKey', this.noAuthToken)
        : refused(verdict.reason, verdict.detail);
    }
    const read = readEvent(verdict.parameters);
    if (!read.ok) return refused(read.reason, read.detail);
    const { event } = read;
    if (event.about === 'factor') return { ignored: `a factor was ${event.change}` };
    return this.confirm(event, verdict.parameters);
  }

  signedFor(request: CallbackRequest, maxSize: number, candidates: readonly string[]): string | undefined {
    return addressSignedFor(request, this.rules(request, maxSize), candidates);
  }

  private rules({ url }: CallbackRequest, maxSize: number): WebhookRules {
    // An address as configured at Twilio has its query with it.
    return { authToken: this.authToken, maxSize, query: url.split(/\?(.*)/s)[1] ?? '' };
  }

  /** Reads the challenge that an event is about. */
  private async confirm(event: ChallengeEvent, parameters: Parameters): Promise<CallbackVerdict> {
    const approvalId = uuidOf(event.challengeSid);
    let recipient: string | undefined;
    try {
      recipient = await this.recipientOf(approvalId);
    } catch (error) {
      return refused('storeUnavailable', (error as Error).message);
    }
    if (recipient === undefined) return notAsked;
    let reading: Reading;
    try {
      reading = await this.read(approvalId, recipient);
    } catch (error) {
      if (error instanceof AuthyError && error.code === 'AUTHY_NOT_FOUND') return notAsked;
      const { message } = error as Error;
      return refused('statusUnreadable', `the status of its challenge could not be read: ${message}`);
    }
    const challenge = reading.answer?.body ?? {};
    const other = differing(event, challenge);
    if (other !== undefined) return refused('statusDisagrees', `its ${other} is not that of the challenge`);
    const { outcome, result } = reading;
    if (outcome !== event.decision) {
      return refused('statusDisagrees', `it says ${event.decision}, and the challenge is ${outcome}`);
    }
    const nonce = Date.parse(result.processedAt ?? '') / 1000;
    if (Number.isNaN(nonce)) return refused('missingField', 'its challenge has no time of the answer');
    const answer: ApprovalAnswer = {
      decision: event.decision,
      approvalId,
      authyId: result.authyId,
      nonce,
      about: { ...shown(challenge), device: null },
      body: Object.fromEntries([...parameters].map(([name, [value]]) => [name, value])),
    };
    return { accepted: true, answer };
  }

  /**
   * Reads a challenge once for all webhooks about it that come meanwhile, and after it was decided, which is final: a webhook
   * can be sent again for ever, and Twilio limits readings.
   */
  private read(approvalId: string, recipient: string): Promise<Reading> {
    const known = this.readings.get(approvalId);
    if (known?.recipient === recipient) return known.reading;
    const read = async (): Promise<Reading> =>
      (await this.service()).perform('onetouchStatus', { approvalId }, { recipient });
    const reading = read();
    const [oldest] = this.readings.keys();
    if (oldest !== undefined && this.readings.size >= mostReadings) this.readings.delete(oldest);
    const one = { recipient, reading };
    this.readings.set(approvalId, one);
    const forget = (): void => {
      if (this.readings.get(approvalId) === one) this.readings.delete(approvalId);
    };
    reading.then(({ outcome }) => {
      if (outcome === 'pending') forget();
    }, forget);
    return reading;
  }
}

/** The parameter that is not as the challenge has it, if there is one. */
function differing(event: ChallengeEvent, challenge: JsonObject): string | undefined {
  const said = {
    account_sid: event.accountSid,
    service_sid: event.serviceSid,
    identity: event.identity,
    factor_sid: event.factorSid,
    factor_type: event.factorType,
  };
  return Object.entries(said).find(([name, value]) => member(challenge, name) !== value)?.[0];
}

/** What the person was asked. */
function shown(
  challenge: JsonObject,
): Pick<ApprovalAnswer['about'], 'message' | 'details' | 'hiddenDetails'> {
  const details = member(challenge, 'details');
  const fields = isObject(details) ? member(details, 'fields') : undefined;
  const rows = Array.isArray(fields) ? (fields as unknown[]).filter(isObject) : [];
  return {
    message: textOrNull(details, 'message'),
    details: Object.fromEntries(
      rows.map((row) => [textOrNull(row, 'label') ?? '', textOrNull(row, 'value')]),
    ),
    hiddenDetails: objectOrNull(challenge, 'hidden_details'),
  };
}

function refused(reason: Rejection, detail: string): Refused {
  return { accepted: false, reason, detail };
}

const notAsked = refused('notAsked', 'this Node-RED did not send such a request');
