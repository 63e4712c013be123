// Who types at the other end.
import { addressOf, senderName, type Party } from './chats';
import { t } from './i18n/index.svelte';
import type { ChatMessage } from './api/client';
import type { TypingState } from './typist';

type Who = Party & { lid: string | null };
export type Typing = { device: string; chat: Who; sender: Who; state: TypingState };

/** Without another word of it, nobody types any more. */
const SILENCE_MS = 15_000;

/** Those who type to a device now. */
export class Typists {
  #all = $state.raw<Typing[]>([]);
  #ends = new Map<string, ReturnType<typeof setTimeout>>();

  heard(typing: Typing): void {
    this.#forget(typing.chat.jid, typing.sender.jid);
    if (typing.state === 'paused') return;
    this.#all = [...this.#all, typing];
    const end = setTimeout(() => this.#forget(typing.chat.jid, typing.sender.jid), SILENCE_MS);
    this.#ends.set(`${typing.chat.jid}/${typing.sender.jid}`, end);
  }

  /** Who has written has stopped typing. */
  wrote(event: { type: string; data: unknown }): void {
    if (event.type !== 'message.received') return;
    const { chat, sender } = event.data as { chat: Party; sender: Party };
    this.#forget(chat.jid, sender.jid);
  }

  /** Those in this conversation, by either of its addresses. */
  in(jid: string): Typing[] {
    return this.#all.filter(({ chat }) => chat.jid === jid || chat.lid === jid);
  }

  stop(): void {
    for (const end of this.#ends.values()) clearTimeout(end);
    this.#ends.clear();
    this.#all = [];
  }

  #forget(chat: string, sender: string): void {
    const key = `${chat}/${sender}`;
    clearTimeout(this.#ends.get(key));
    if (!this.#ends.delete(key)) return;
    this.#all = this.#all.filter((one) => one.chat.jid !== chat || one.sender.jid !== sender);
  }
}

/** In words; empty when nobody does. In a group it says who, by the name that their messages have. */
export function typingText(typists: Typing[], messages: ChatMessage[]): string {
  const [one] = typists;
  if (!one) return '';
  if (typists.length > 1) return t('chats.typing_many', { n: typists.length });
  const recording = one.state === 'recording';
  if (!one.chat.jid.endsWith('@g.us')) return recording ? t('chats.recording') : t('chats.typing');
  const known = messages.find(({ sender }) => sender?.jid === one.sender.jid)?.sender;
  const name = known ? senderName(known) : addressOf(one.sender);
  return recording ? t('chats.recording_who', { name }) : t('chats.typing_who', { name });
}
