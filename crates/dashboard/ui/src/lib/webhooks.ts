// What endpoints can ask for, and how they and their deliveries look.
import type { Webhook } from './api/client';
import { named, t } from './i18n/index.svelte';

/** Every type of event, family by family, by the names of the API. */
export const EVENT_FAMILIES: Record<string, string[]> = {
  message: ['received', 'queued', 'sent', 'delivered', 'read', 'played', 'failed', 'unknown'],
  receipt: ['received'],
  call: ['received'],
  session: ['qr', 'connected', 'disconnected', 'ended'],
  webhook: ['disabled'],
};
export const EVENT_TYPES = Object.entries(EVENT_FAMILIES).flatMap(([family, names]) =>
  names.map((name) => `${family}.${name}`),
);

type Tone = 'good' | 'warn' | 'bad' | 'idle';
const TONES: Record<string, Tone> = {
  active: 'good',
  paused: 'idle',
  disabled: 'bad',
  delivered: 'good',
  pending: 'warn',
  dead: 'bad',
};
export const tone = (state: string): Tone => TONES[state] ?? 'idle';
export const webhookState = (state: string): string => named('webhook_state', state) ?? state;
export const deliveryState = (state: string): string => named('delivery', state) ?? state;

/** Whose events it receives. Devices are named by their token where it is known. */
export function scopeText(scope: Webhook['scope'], nameOf: (id: string) => string | undefined): string {
  switch (scope.kind) {
    case 'device':
      return t('webhooks.scope_device_named', { name: nameOf(scope.device) ?? scope.device });
    case 'workspace':
      return t('webhooks.scope_workspace_named', { name: scope.workspace });
    case 'global':
      return t('webhooks.scope_global');
  }
}
