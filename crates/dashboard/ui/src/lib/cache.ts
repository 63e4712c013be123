// What the server said, until the stream or a change says otherwise.
import { QueryClient } from '@tanstack/svelte-query';

import { Problem } from './api/problem';

const RETRIES = 2;

/** Whether asking again can help: not when the request itself is at fault. */
function worthRetrying(failures: number, error: Error): boolean {
  const final = error instanceof Problem && error.status < 500;
  return !final && failures < RETRIES;
}

export const cache = new QueryClient({
  defaultOptions: { queries: { retry: worthRetrying, staleTime: 15_000, refetchOnWindowFocus: true } },
});

/** Asks, and gives what the stream put under this key meanwhile when it did: the answer may be older than that. */
export async function unlessTold<T>(key: readonly string[], ask: () => Promise<T>): Promise<T> {
  const before = cache.getQueryData<T>(key);
  const answer = await ask();
  const now = cache.getQueryData<T>(key);
  return now === undefined || now === before ? answer : now;
}
