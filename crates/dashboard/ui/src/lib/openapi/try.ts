// Sends a request as it was typed in, and gives the answer as it came.
import { JSON_TYPE, type Operation } from './document';
import { address, headers, keyHeader, type Values } from './request';

export type Tried = { status: number; statusText: string; ms: number; type: string; body: string };

/** Most that is shown of an answer, in characters. */
const LONGEST = 100_000;

function pretty(body: string, type: string): string {
  if (!/json/.test(type)) return body;
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

/** Calls `heard` when there is an answer, and again whenever an answer without end goes on. */
export async function send(
  operation: Operation,
  values: Values,
  body: string,
  key: string,
  signal: AbortSignal,
  heard: (tried: Tried) => void,
): Promise<void> {
  const begun = performance.now();
  const response = await fetch(address(operation, values), {
    method: operation.method,
    headers: {
      ...(body ? { 'content-type': JSON_TYPE } : {}),
      ...(operation.access === 'key' ? { [keyHeader(operation)]: key } : {}),
      ...headers(operation, values),
    },
    signal,
    ...(body ? { body } : {}),
  });
  const type = response.headers.get('content-type') ?? '';
  const tell = (body: string) =>
    heard({ status: response.status, statusText: response.statusText, ms: Math.round(performance.now() - begun), type, body });
  if (!type.startsWith('text/event-stream') || !response.body) {
    tell(pretty((await response.text()).slice(0, LONGEST), type));
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  tell(text);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text = (text + value).slice(-LONGEST);
    tell(text);
  }
}
