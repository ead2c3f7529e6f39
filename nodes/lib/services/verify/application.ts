import { numberOrNull, textOrNull } from '../../contract/json';
import type { ResultOf } from '../../contract/results';
import { expectSame } from './client';
import { type Context, type Handler, servicePath } from './context';

/** How many months the statistics go back, this one included. */
const months = 6;

export const appDetails: Handler<'appDetails'> = async (context, _values, call) => {
  const { value, answer } = await context.verify.call(
    { method: 'GET', path: servicePath(context), repeat: 'read' },
    ({ body }) => {
      expectSame(body, 'sid', context.serviceSid);
      return textOrNull(body, 'friendly_name');
    },
    call(),
  );
  return {
    outcome: 'read',
    result: {
      appId: null,
      name: value,
      plan: null,
      smsEnabled: null,
      phoneCallsEnabled: null,
      onetouchEnabled: null,
    },
    answer,
  };
};

export const appStats: Handler<'appStats'> = async (context, _values, call) => {
  const now = new Date(context.now());
  const first = now.getUTCMonth() - months + 1;
  const all = Array.from({ length: months }, (_, index) =>
    monthOf(context, new Date(Date.UTC(now.getUTCFullYear(), first + index, 1)), call),
  );
  return { outcome: 'read', result: { appId: null, totalUsers: null, months: await Promise.all(all) } };
};

async function monthOf(
  context: Context,
  from: Date,
  call: Parameters<Handler<'appStats'>>[2],
): Promise<ResultOf<'appStats'>['months'][number]> {
  const next = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + 1, 1));
  const count = async (channel?: string): Promise<{ total: number | null; converted: number | null }> => {
    const { value } = await context.verify.call(
      {
        method: 'GET',
        path: '/v2/Attempts/Summary',
        fields: {
          VerifyServiceSid: context.serviceSid,
          DateCreatedAfter: wholeSeconds(from),
          DateCreatedBefore: wholeSeconds(next),
          Channel: channel,
        },
        repeat: 'read',
      },
      ({ body }) => ({
        total: numberOrNull(body, 'total_attempts'),
        converted: numberOrNull(body, 'total_converted'),
      }),
      call(),
    );
    return value;
  };
  const [all, sms, calls] = await Promise.all([count(), count('sms'), count('call')]);
  return {
    month: from.toLocaleString('en-US', { month: 'long', timeZone: 'UTC' }),
    year: from.getUTCFullYear(),
    smsCount: sms.total,
    callsCount: calls.total,
    usersCount: null,
    authsCount: all.converted,
    apiCallsCount: null,
  };
}

function wholeSeconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
