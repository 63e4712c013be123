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

/** Why, in words: by the reason's name, else as the server put it. Empty when the state says it all. */
export function reasonText(session: Session): string {
  const { reason, detail, state } = session;
  if (reason && reason !== state) return named('reason', reason) ?? detail ?? reason;
  return detail ?? '';
}

/** What can be done about it. */
export const adviceText = (state: string): string => named('advice', state) ?? '';
