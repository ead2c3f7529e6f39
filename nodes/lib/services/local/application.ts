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

/** How many people there are. Nothing counts what was sent: there are no months. */
export const appStats: Handler<'appStats'> = async ({ people }) => ({
  outcome: 'read',
  result: { appId: null, totalUsers: await people.count(), months: [] },
});
