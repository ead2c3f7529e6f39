import { statisticsOf } from '../../people/counts';
import type { Handler } from './context';

/** Whether codes can be sent is whether the flow sends them. */
export const appDetails: Handler<'appDetails'> = async ({ displayName, notifier }, _values, { signal }) => {
  const isHeard = await notifier(signal).then(
    () => true,
    () => false,
  );
  return {
    outcome: 'read',
    result: {
      appId: null,
      name: displayName,
      plan: null,
      smsEnabled: isHeard,
      phoneCallsEnabled: isHeard,
      onetouchEnabled: true,
    },
  };
};

export const appStats: Handler<'appStats'> = async ({ people, now }) => {
  const { total, months } = await statisticsOf(people, now());
  return { outcome: 'read', result: { appId: null, totalUsers: total, months } };
};
