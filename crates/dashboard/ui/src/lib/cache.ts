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
