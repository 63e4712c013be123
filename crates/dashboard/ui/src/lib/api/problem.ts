// Why a request got no answer, for code and for people.
import { named, t } from '../i18n/index.svelte';
import type { components } from '../../../generated/schema';

type Body = Partial<components['schemas']['Problem']>;

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly retryAfter: number | null,
  ) {
    super(detail);
  }
}

export function problemOf(response: Response, body: unknown): Problem {
  const given: Body = typeof body === 'object' && body !== null ? body : {};
  const wait = Number(response.headers.get('retry-after'));
  const code = given.code ?? `http_${response.status}`;
  return new Problem(response.status, code, given.detail ?? given.title ?? '', wait > 0 ? wait : null);
}

/** A sentence in the reader's language where there is one for the code, with what the server said of this case. */
export function explain(error: unknown): string {
  if (!(error instanceof Problem)) return t('problem.network');
  const known = named('problem', error.code);
  if (error.code === 'throttled') {
    return t('problem.throttled', { seconds: error.retryAfter ?? 60 });
  }
  return known ?? (error.message || t('problem.status', { status: String(error.status) }));
}
