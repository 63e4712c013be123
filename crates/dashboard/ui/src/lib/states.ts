// What states and reasons of sessions are called, and how they look.
import type { Session } from './api/client';
import { named } from './i18n/index.svelte';

/** Every state a session can be in, by the names of the API. */
export const STATES = [
  'connected',
  'connecting',
  'awaiting_scan',
  'unreachable',
  'pairing_timed_out',
  'stopped',
  'logged_out',
  'replaced',
  'banned',
  'outdated',
  'rejected',
] as const;

const TONES: Record<string, 'good' | 'warn' | 'bad' | 'idle'> = {
  connected: 'good',
  connecting: 'warn',
  awaiting_scan: 'warn',
  unreachable: 'bad',
  pairing_timed_out: 'idle',
  stopped: 'idle',
};

export const stateTone = (state: string) => TONES[state] ?? 'bad';
export const stateText = (state: string): string => named('state', state) ?? state;

/** Why it is not connected, in words; empty when there is nothing to explain. */
export function reasonText({ state, reason }: Session): string {
  const why = reason ?? (state === 'unreachable' ? 'connection_lost' : null);
  return why ? (named('reason', why) ?? why) : '';
}

/** What can be done about it. */
export const adviceText = (state: string): string => named('advice', state) ?? '';
