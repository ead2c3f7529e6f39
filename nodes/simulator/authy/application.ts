import type { Reply } from '../reply';
import { application } from '../settings';
import type { Call, CallRoute } from './call';
import { success } from './replies';

/** The application itself: rows A1 and A2 of Authy's endpoints. */
export const applicationRoutes: readonly CallRoute[] = [
  { method: 'GET', path: '/protected/json/app/details', handle: details },
  { method: 'GET', path: '/protected/json/app/stats', handle: stats },
];

function details({ settings }: Call): Reply {
  return success({
    app: {
      name: settings.appName,
      plan: application.plan,
      sms_enabled: true,
      phone_calls_enabled: true,
      app_id: application.serialId,
      onetouch_enabled: true,
    },
    message: 'Application information.',
  });
}

function stats({ state }: Call): Reply {
  const { months } = state.statistics;
  return success({
    message: 'Monthly statistics.',
    count: months.length,
    total_users: state.users.all.length,
    app_id: application.serialId,
    stats: months,
  });
}
