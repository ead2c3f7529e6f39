import { isoSeconds } from '../iso-time';
import type { Reply } from '../reply';
import { addressOf, service, type VerifyCall, type VerifyRoute } from './call';
import { ok } from './replies';

/** The service itself. */
export const serviceRoutes: readonly VerifyRoute[] = [{ method: 'GET', path: service, handle: read }];

function read(call: VerifyCall): Reply {
  const { verify, backend } = call;
  const at = (path: string): string => addressOf(call, path);
  return ok({
    sid: verify.serviceSid,
    account_sid: verify.accountSid,
    friendly_name: backend.settings.appName,
    code_length: verify.codeLength,
    lookup_enabled: false,
    psd2_enabled: true,
    skip_sms_to_landlines: true,
    dtmf_input_required: false,
    tts_name: null,
    do_not_share_warning_enabled: false,
    custom_code_enabled: verify.customCodes,
    push: { include_date: true, apn_credential_sid: null, fcm_credential_sid: null },
    totp: { issuer: backend.settings.appName, time_step: 30, code_length: 6, skew: 1 },
    default_template_sid: null,
    whatsapp: { msg_service_sid: null, from: null },
    passkeys: {
      relying_party: { id: null, name: null, origins: null },
      authenticator_attachment: null,
      discoverable_credentials: null,
      user_verification: null,
    },
    verify_event_subscription_enabled: false,
    date_created: isoSeconds(verify.createdAt),
    date_updated: isoSeconds(verify.createdAt),
    url: at(''),
    links: {
      verification_checks: at('/VerificationCheck'),
      verifications: at('/Verifications'),
      rate_limits: at('/RateLimits'),
      messaging_configurations: at('/MessagingConfigurations'),
      entities: at('/Entities'),
      webhooks: at('/Webhooks'),
      access_tokens: at('/AccessTokens'),
    },
  });
}
