// A list that is read from its newest item backwards, and grows at its front while it is looked at.
type Page<T> = { data: T[]; next: string | null };

/** Pages without a hit that a search reads by itself before it asks whether to go on. */
const EMPTY_PAGES = 5;

export class Feed<T> {
  /** Newest first. */
  items = $state.raw<T[]>([]);
  /** Where the next page begins; null at the end. */
  next = $state<string | null>(null);
  /** Whether the first page is there. */
  loaded = $state(false);
  busy = $state(false);
  error = $state.raw<unknown>(null);
  #fetch: (after: string | undefined) => Promise<Page<T>>;
  #key: (item: T) => string;
  #refreshing = false;
  #again = false;
  /** Changes that were told while a page was under way: it may be older than they are. */
  #told: { key: string; change: (item: T) => T }[] = [];

  constructor(fetch: (after: string | undefined) => Promise<Page<T>>, key: (item: T) => string) {
    this.#fetch = fetch;
    this.#key = key;
  }

  /** Reads the next page, or the first one. */
  async more(): Promise<void> {
    if (this.busy || (this.loaded && this.next === null)) return;
    this.busy = true;
    this.error = null;
    try {
      for (let empty = 0; empty < EMPTY_PAGES; empty += 1) {
        const page = await this.#page(this.next ?? undefined);
        this.items = this.#joined(this.items, page.data);
        this.next = page.next;
        this.loaded = true;
        if (page.data.length > 0 || page.next === null) break;
      }
    } catch (error) {
      this.error = error;
    } finally {
      this.#quiet(() => (this.busy = false));
    }
    if (this.#again && this.loaded) await this.refresh();
  }

  /** Reads the first page again and puts what is new or changed in front. Asked for meanwhile, it reads once more. */
  async refresh(): Promise<void> {
    if (this.#refreshing || (this.busy && !this.loaded)) {
      this.#again = true;
      return;
    }
    if (!this.loaded) return this.more();
    this.#refreshing = true;
    try {
      do {
        this.#again = false;
        const page = await this.#page(undefined);
        const known = new Set(this.items.map(this.#key));
        const gap = page.next !== null && !page.data.some((item) => known.has(this.#key(item)));
        // More is new than fits on a page: what was read before does not join on.
        if (gap || page.next === null) this.next = page.next;
        this.items = gap || page.next === null ? page.data : this.#joined(page.data, this.items);
      } while (this.#again);
    } catch {
      // What is shown stays; the next event, or the next connection, asks again.
    } finally {
      this.#quiet(() => (this.#refreshing = false));
    }
  }

  /** Changes one item where it stands, and says whether it is here. */
  patch(key: string, change: (item: T) => T): boolean {
    if (this.busy || this.#refreshing) this.#told.push({ key, change });
    const at = this.items.findIndex((item) => this.#key(item) === key);
    if (at < 0) return false;
    this.items = this.items.map((item, index) => (index === at ? change(item) : item));
    return true;
  }

  /** A page with what was told since it was asked for. */
  async #page(after: string | undefined): Promise<Page<T>> {
    const page = await this.#fetch(after);
    const changed = (item: T): T =>
      this.#told.filter(({ key }) => key === this.#key(item)).reduce((one, { change }) => change(one), item);
    return { ...page, data: page.data.map(changed) };
  }

  #quiet(end: () => void): void {
    end();
    if (!this.busy && !this.#refreshing) this.#told = [];
  }

  #joined(front: T[], back: T[]): T[] {
    const known = new Set(front.map(this.#key));
    return [...front, ...back.filter((item) => !known.has(this.#key(item)))];
  }
}
