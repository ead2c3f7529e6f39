import type { User } from './state/users';

/** The members that describe a simulated phone in answers and callbacks. */
export type Device = ReturnType<typeof deviceOf>;

/**
 * The phone of a user, as verified tokens and callbacks describe it. It has no location: it is on this machine.
 *
 * Source: the callbacks in twilio/authy-java's tests (TestAuthyUtil.java)
 */
export function deviceOf(user: User) {
  const registeredAt = Math.floor(user.createdAt / 1000);
  return {
    id: user.id + 1_000_000,
    os_type: 'android',
    registration_date: registeredAt,
    registration_method: 'sms',
    registration_country: null,
    registration_region: null,
    registration_city: null,
    registration_ip: '127.0.0.1',
    country: null,
    region: null,
    city: null,
    ip: '127.0.0.1',
    last_account_recovery_at: null,
    last_sync_date: registeredAt,
  };
}
