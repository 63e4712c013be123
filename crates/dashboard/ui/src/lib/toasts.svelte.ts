// Short notes on what just happened.
import { explain } from './api/problem';

export type Toast = { id: number; kind: 'good' | 'bad'; text: string };

const SHOWN_MS = 6000;
let next = 0;
let toasts = $state<Toast[]>([]);

export const toast = {
  get all(): Toast[] {
    return toasts;
  },
  good(text: string): void {
    add('good', text);
  },
  /** Says why something failed. It stays until it is closed: what went wrong must be readable. */
  failed(error: unknown): void {
    add('bad', explain(error));
  },
  bad(text: string): void {
    add('bad', text);
  },
  close(id: number): void {
    toasts = toasts.filter((one) => one.id !== id);
  },
};

function add(kind: Toast['kind'], text: string): void {
  const id = next++;
  toasts = [...toasts.slice(-3), { id, kind, text }];
  if (kind === 'good') setTimeout(() => toast.close(id), SHOWN_MS);
}
