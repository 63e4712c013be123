// What conversations and their messages are called.
import type { Chat, ChatMessage, Event } from './api/client';
import { named, t } from './i18n/index.svelte';

export type Party = { jid: string; phone: string | null };

/** Steps of a message of ours; it never goes back. */
const STEPS = ['queued', 'failed', 'unknown', 'sent', 'delivered', 'read', 'played'];

/** A number as people write it, else the address. */
export const addressOf = (party: Party): string => (party.phone ? `+${party.phone}` : party.jid);
export const chatName = (chat: Pick<Chat, 'name' | 'phone' | 'jid'>): string => chat.name ?? addressOf(chat);
export const senderName = (sender: NonNullable<ChatMessage['sender']>): string => sender.name ?? addressOf(sender);

/** The address as it is, when nothing more is known of a conversation. */
export function nameOfJid(jid: string): string {
  const [user = '', server] = jid.split('@');
  return server === 's.whatsapp.net' ? `+${user}` : jid;
}

const TEXTS = ['conversation', 'extendedText'];

/** What kind of message, in words; empty for texts, which say it themselves. */
export function kindText(message: Pick<ChatMessage, 'kind' | 'text'>): string {
  if (TEXTS.includes(message.kind)) return '';
  return named('kind', message.kind) ?? (message.text ? '' : t('chats.other_kind'));
}

/** One line of a message. */
export function preview(message: ChatMessage): string {
  const what = [kindText(message), message.text || message.media?.file_name || ''];
  return what.filter(Boolean).join(': ');
}

/** The message with the status, unless it is further already. */
export function advanced(message: ChatMessage, status: string, failure: ChatMessage['failure']): ChatMessage {
  if (!message.from_me || STEPS.indexOf(status) < STEPS.indexOf(message.status ?? '')) return message;
  return { ...message, status, failure };
}

/** Two messages of one conversation may have one id, when their writers differ. */
export const messageKey = (message: ChatMessage): string => `${message.sender?.jid ?? ''}/${message.id}`;
export const ownKey = (id: string): string => `/${id}`;

type Said = { id: string; status?: string; failure?: ChatMessage['failure']; chat?: Party | null; kind?: string };

/** What an event says of conversations of this device; null when it says nothing. */
export function saidIn(event: Event, token: string): Said | null {
  const known = event.type.startsWith('message.') || event.type === 'receipt.received';
  return known && event.device.token === token ? (event.data as Said) : null;
}
