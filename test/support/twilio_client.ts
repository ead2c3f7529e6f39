import { createRequire } from 'node:module';
import path from 'node:path';
import { installedInCache } from './node_red';

/** What the client makes of an answer: its members in camelCase, dates as `Date`. */
export type Instance = Readonly<Record<string, unknown>>;

type Values = Readonly<Record<string, unknown>>;
type Creates = { create: (values?: Values) => Promise<Instance> };
type Lists = { list: (values?: Values) => Promise<Instance[]> };
type Fetches = { fetch: (values?: Values) => Promise<Instance> };
type Updates = { update: (values: Values) => Promise<Instance> };
type Removes = { remove: () => Promise<boolean> };

/** A list of resources, and one of them by its SID. */
type Resources<Of, One> = Of & ((sid: string) => One);

interface Entity extends Fetches, Removes {
  readonly newFactors: Creates;
  readonly factors: Resources<Lists, Fetches & Updates & Removes>;
  readonly challenges: Resources<Creates & Lists, Fetches & Updates & { readonly notifications: Creates }>;
}

interface Service extends Fetches {
  readonly verifications: Resources<Creates, Fetches & Updates>;
  readonly verificationChecks: Creates;
  readonly entities: Resources<Creates & Lists, Entity>;
  readonly webhooks: Resources<Creates & Lists, Fetches & Updates & Removes>;
  readonly accessTokens: Resources<Creates, Fetches>;
}

/** The parts of npm `twilio` that the tests use. */
export interface TwilioClient {
  readonly verify: {
    baseUrl: string;
    readonly v2: {
      readonly services: (sid: string) => Service;
      readonly verificationAttempts: Resources<Lists, Fetches>;
      readonly verificationAttemptsSummary: () => Fetches;
    };
  };
  readonly lookups: { baseUrl: string; readonly v2: { readonly phoneNumbers: (number: string) => Fetches } };
}

interface TwilioPackage {
  (user: string, password: string, options?: { accountSid: string }): TwilioClient;
  readonly validateRequest: (
    authToken: string,
    signature: string,
    url: string,
    params: Readonly<Record<string, string>>,
  ) => boolean;
}

/**
 * The official client of Twilio, installed beside the project: it is large, and only the tests need it. No script of it is
 * run. Skips the suite where it cannot be had.
 */
export async function twilioPackage(context: Mocha.Context): Promise<TwilioPackage> {
  const modules = await installedInCache(context, 'twilio-client', ['twilio@6.3.1'], ['--ignore-scripts']);
  return createRequire(path.join(modules, 'package.json'))('twilio') as TwilioPackage;
}
