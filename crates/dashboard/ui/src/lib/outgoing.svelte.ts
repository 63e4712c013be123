// What is on its way from a conversation on the screen, until the history has it.
import { answer, api, type ChatMessage } from './api/client';
import { explain } from './api/problem';
import { newKey } from './once';

export type Outgoing = {
  /** One for each message that was written: trying again sends nothing twice. */
  key: string;
  text: string;
  at: string;
  id: string | null;
  error: string;
  busy: boolean;
  /** Own messages that were there before. */
  before: Set<string>;
};

export class Outbox {
  all = $state<Outgoing[]>([]);
  #address: () => { device: string; to: string };
  #changed: () => Promise<void>;

  constructor(address: () => { device: string; to: string }, changed: () => Promise<void>) {
    this.#address = address;
    this.#changed = changed;
  }

  send(text: string, history: ChatMessage[]): void {
    const before = new Set(history.filter((message) => message.from_me).map((message) => message.id));
    const at = new Date().toISOString();
    this.all.push({ key: newKey(), text, at, id: null, error: '', busy: false, before });
    const added = this.all.at(-1);
    if (added) void this.attempt(added);
  }

  async attempt(message: Outgoing): Promise<void> {
    if (message.busy || message.id) return;
    message.busy = true;
    message.error = '';
    const { device, to } = this.#address();
    try {
      const sent = await answer(
        api.POST('/v1/devices/{device}/messages', {
          params: { path: { device }, header: { 'Idempotency-Key': message.key } },
          body: { to, text: message.text },
        }),
      );
      message.id = sent.id;
    } catch (error) {
      message.error = explain(error);
    }
    await this.#changed();
    message.busy = false;
  }

  /** Which of ours each message of the history is: by its id once that is known, else the first new one that says
   * the same. */
  claims(history: ChatMessage[]): Map<string, Outgoing> {
    const claims = new Map<string, Outgoing>();
    const own = history.filter((message) => message.from_me).reverse();
    for (const waiting of this.all) {
      const found = own.find(({ id, text }) =>
        waiting.id ? id === waiting.id : text === waiting.text && !waiting.before.has(id) && !claims.has(id),
      );
      if (found) claims.set(found.id, waiting);
    }
    return claims;
  }

  /** Forgets what has arrived in the history. */
  settle(history: ChatMessage[]): void {
    const there = new Set(history.map((message) => message.id));
    const open = this.all.filter((message) => !message.id || !there.has(message.id));
    if (open.length < this.all.length) this.all = open;
  }
}
