// How keys and what they may do are named.
import type { ApiKey } from './api/client';
import { named, t } from './i18n/index.svelte';

export const ACTIONS = ['read', 'send', 'manage'] as const;

export const actionText = (word: string): string => named('key_scope', word) ?? word;
export const scopeText = (words: string[]): string => words.map(actionText).join(', ');

/** What a key reaches. Devices are named where their name is known. */
export function reachText(key: ApiKey, nameOf: (id: string) => string | undefined): string {
  if (key.device) return t('webhooks.scope_device_named', { name: nameOf(key.device) ?? key.device });
  if (key.workspace) return t('webhooks.scope_workspace_named', { name: key.workspace });
  return t('keys.reach_all');
}
