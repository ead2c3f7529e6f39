import { lineOf, lookUpNumber } from '../phone-numbers';
import type { Reply } from '../reply';
import type { VerifyCall, VerifyRoute } from './call';
import { invalidParameter, ok, VerifyFailure } from './replies';

/** Twilio Lookup: what is known about a phone number. */
export const lookupRoutes: readonly VerifyRoute[] = [
  { method: 'GET', path: '/v2/PhoneNumbers/{number}', handle: lookUp },
];

/** What may be asked for beside the number itself; the simulator knows the first of them. */
const packages = [
  'line_type_intelligence',
  'caller_name',
  'sim_swap',
  'call_forwarding',
  'line_status',
  'identity_match',
  'reassigned_number',
  'sms_pumping_risk',
  'phone_number_quality_score',
  'pre_fill',
] as const;

/** A line's type in Twilio's words. */
const lineTypes = { cellphone: 'mobile', landline: 'landline', voip: 'nonFixedVoip', unknown: null } as const;

/** Nothing could be found out. Source: https://www.twilio.com/docs/api/errors/60600 */
const notCovered = 60_600;

function lookUp(call: VerifyCall): Reply {
  const { form, values, baseUrl } = call;
  const fields = (form.value('Fields') ?? '').split(',').map((field) => field.trim());
  const wanted = fields.filter((field) => field !== '');
  const unknown = wanted.find((field) => !packages.some((known) => known === field));
  if (unknown !== undefined)
    throw invalidParameter('Fields', `${unknown} is not one of ${packages.join(', ')}`);
  const country = form.matching('CountryCode', /^[A-Z]{2}$/);
  const number = values['number'] ?? '';
  const found = lookUpNumber(number, country);
  const shown = found.phone?.e164 ?? number;
  const none = Object.fromEntries(packages.map((name) => [name, null]));
  const lineType = wanted.includes('line_type_intelligence') ? lineTypeOf(found) : null;
  return ok({
    calling_country_code: found.phone?.countryCode ?? null,
    country_code: found.phone?.country ?? null,
    phone_number: shown,
    national_format: found.nationalFormat ?? null,
    valid: found.problem === undefined,
    validation_errors: found.problem === undefined ? [] : [found.problem],
    ...none,
    line_type_intelligence: lineType,
    url: `${baseUrl}/v2/PhoneNumbers/${encodeURIComponent(shown)}`,
  });
}

/** @throws VerifyFailure - 20500: the number is one whose look-up fails */
function lineTypeOf({ phone, problem }: ReturnType<typeof lookUpNumber>) {
  if (phone === undefined || problem !== undefined) return null;
  const line = lineOf(phone);
  if (line.lookupFailure === 'phoneInfoFailed') throw new VerifyFailure('internal');
  const isKnown = line.lookupFailure === undefined && line.type !== 'unknown';
  // 001 and 01 are for test networks (ITU-T E.212).
  return {
    mobile_country_code: isKnown && line.type === 'cellphone' ? '001' : null,
    mobile_network_code: isKnown && line.type === 'cellphone' ? '01' : null,
    carrier_name: isKnown ? line.carrier : null,
    type: isKnown ? lineTypes[line.type] : null,
    error_code: isKnown ? null : notCovered,
  };
}
