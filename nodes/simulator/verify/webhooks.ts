import { isoSeconds } from '../iso-time';
import type { Reply } from '../reply';
import { callbackUrlProblem } from '../settings';
import type { Webhook } from '../state/webhooks';
import { addressOf, owned, service, type VerifyCall, type VerifyRoute } from './call';
import { eventTypes } from './events';
import type { Form } from './form';
import { page } from './lists';
import { created, deleted, invalidParameter, notFound, ok } from './replies';
import { sidOf, uuidOf } from './sids';

const webhooks = `${service}/Webhooks`;

/** The addresses that are told of events. */
export const webhookRoutes: readonly VerifyRoute[] = [
  { method: 'POST', path: webhooks, handle: create },
  { method: 'GET', path: webhooks, handle: list },
  { method: 'GET', path: `${webhooks}/{webhook}`, handle: (call) => ok(view(call, webhookOf(call))) },
  { method: 'POST', path: `${webhooks}/{webhook}`, handle: update },
  { method: 'DELETE', path: `${webhooks}/{webhook}`, handle: remove },
];

function create(call: VerifyCall): Reply {
  const { form, backend } = call;
  const [friendlyName, url] = [form.required('FriendlyName'), form.required('WebhookUrl')];
  const events = eventsIn(form);
  if (events === undefined) throw invalidParameter('EventTypes', 'it is required');
  requireAddress(url);
  const isEnabled = isEnabledIn(form) ?? true;
  const version = versionIn(form) ?? 'v2';
  return created(view(call, backend.state.webhooks.add({ friendlyName, events, url, isEnabled, version })));
}

function update(call: VerifyCall): Reply {
  const { form, backend } = call;
  const webhook = webhookOf(call);
  const url = form.value('WebhookUrl') ?? webhook.url;
  requireAddress(url);
  Object.assign(webhook, {
    url,
    friendlyName: form.value('FriendlyName') ?? webhook.friendlyName,
    events: eventsIn(form) ?? webhook.events,
    isEnabled: isEnabledIn(form) ?? webhook.isEnabled,
    version: versionIn(form) ?? webhook.version,
    updatedAt: backend.state.now(),
  } satisfies Partial<Webhook>);
  return ok(view(call, webhook));
}

function list(call: VerifyCall): Reply {
  return page(call, 'webhooks', call.backend.state.webhooks.all, (webhook) => view(call, webhook));
}

function remove(call: VerifyCall): Reply {
  call.backend.state.webhooks.remove(webhookOf(call));
  return deleted;
}

/** @throws VerifyFailure - 60200: one of them is none */
function eventsIn(form: Form): string[] | undefined {
  const events = form.all('EventTypes');
  const known: readonly string[] = ['*', ...eventTypes];
  const unknown = events.find((event) => !known.includes(event));
  if (unknown !== undefined)
    throw invalidParameter('EventTypes', `${unknown} is not one of ${known.join(', ')}`);
  return events.length === 0 ? undefined : events;
}

function isEnabledIn(form: Form): boolean | undefined {
  const status = form.oneOf('Status', ['enabled', 'disabled']);
  return status === undefined ? undefined : status === 'enabled';
}

function versionIn(form: Form): string | undefined {
  return form.oneOf('Version', ['v1', 'v2']);
}

/** @throws VerifyFailure - 60200: it is no address that can be called */
function requireAddress(url: string): void {
  const problem = callbackUrlProblem(url);
  if (problem !== undefined) throw invalidParameter('WebhookUrl', problem);
}

/** The webhook that the path names. @throws VerifyFailure - 20404 */
function webhookOf({ backend, values, path }: VerifyCall): Webhook {
  const uuid = uuidOf('YW', values['webhook'] ?? '');
  const found = uuid === undefined ? undefined : backend.state.webhooks.get(uuid);
  if (found === undefined) throw notFound(path);
  return found;
}

function view(call: VerifyCall, webhook: Webhook) {
  return {
    ...owned(call, 'YW', webhook.uuid),
    friendly_name: webhook.friendlyName,
    event_types: webhook.events,
    status: webhook.isEnabled ? 'enabled' : 'disabled',
    version: webhook.version,
    webhook_url: webhook.url,
    webhook_method: 'POST',
    date_created: isoSeconds(webhook.createdAt),
    date_updated: isoSeconds(webhook.updatedAt),
    url: addressOf(call, `/Webhooks/${sidOf('YW', webhook.uuid)}`),
  };
}
