// Telling the other end that somebody types here.

export type TypingState = 'composing' | 'recording' | 'paused';

/** At the other end it is forgotten sooner or later, unless it is said again. */
const AGAIN_MS = 10_000;
/** Whoever has pressed no key for so long has stopped. */
const STOPPED_MS = 5000;

/** Tells the other end what somebody does here, no more often than it has to. */
export class Typist {
  #tell: (state: TypingState) => void;
  #told = 0;
  #stopping: ReturnType<typeof setTimeout> | undefined;

  constructor(tell: (state: TypingState) => void) {
    this.#tell = tell;
  }

  /** The text has changed to this. */
  typed(text: string): void {
    if (!text.trim()) return this.stop();
    clearTimeout(this.#stopping);
    const going = this.#stopping !== undefined;
    this.#stopping = setTimeout(() => this.stop(), STOPPED_MS);
    if (going && Date.now() - this.#told < AGAIN_MS) return;
    this.#told = Date.now();
    this.#tell('composing');
  }

  /** The text was sent or given up. */
  stop(): void {
    if (this.#stopping === undefined) return;
    clearTimeout(this.#stopping);
    this.#stopping = undefined;
    this.#tell('paused');
  }
}
