// Long work: asking for it, and what is found in it.
import { answer, api, type CheckedNumber, type Job } from './api/client';
import { keys } from './api/keys';
import { named } from './i18n/index.svelte';
import { stream } from './stream.svelte';

/** Most numbers of one check, as the API has it. */
export const MOST_NUMBERS = 10_000;
const PAGE = 200;
/** How often it is asked for while nothing tells of it. */
const ASK_MS = 2_000;

/** What follows one job: the stream, and while that is away, asking. */
export const following = (id: string) => ({
  queryKey: keys.job(id),
  queryFn: () => answer(api.GET('/v1/jobs/{id}', { params: { path: { id } } })),
  enabled: id !== '',
  refetchInterval: ({ state }: { state: { data: Job | undefined } }): number | false =>
    state.data?.state === 'running' && stream.standing !== 'live' ? ASK_MS : false,
});

export const cancel = (id: string): Promise<Job> =>
  answer(api.POST('/v1/jobs/{id}/cancel', { params: { path: { id } } }));

/** All that a number check found. */
export async function results(id: string): Promise<CheckedNumber[]> {
  const all: CheckedNumber[] = [];
  let after: string | undefined;
  do {
    const page = await answer(
      api.GET('/v1/jobs/{id}/results', { params: { path: { id }, query: { after, limit: PAGE } } }),
    );
    all.push(...page.data);
    after = page.next ?? undefined;
  } while (after);
  return all;
}

/** What may come of a number, and its word. */
export const FOUND = {
  yes: 'check.found_yes',
  no: 'check.found_no',
  unreadable: 'check.found_unreadable',
  unknown: 'check.found_unknown',
} as const;
export type Found = keyof typeof FOUND;

export function found(line: CheckedNumber): Found {
  if (line.problem) return 'unreadable';
  if (line.registered === null) return 'unknown';
  return line.registered ? 'yes' : 'no';
}

export const whyFailed = (job: Job): string =>
  job.failure ? (named('problem', job.failure.code) ?? job.failure.detail) : '';
