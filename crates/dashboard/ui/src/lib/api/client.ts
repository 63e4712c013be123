// The typed client of `/v1`. Its types are made from `docs/openapi.json` by `npm run client`.
import createClient from 'openapi-fetch';

import type { components, paths } from '../../../generated/schema';
import { i18n } from '../i18n/index.svelte';
import { problemOf } from './problem';

type Schemas = components['schemas'];
export type Account = Schemas['Account'];
export type SignInState = Schemas['SignInState'];
export type Device = Schemas['Device'];
export type Devices = Schemas['DevicePage'];
export type Session = Schemas['Session'];
export type Qr = Schemas['Qr'];
export type Pairing = Schemas['Pairing'];
export type Contact = Schemas['Contact'];
export type Group = Schemas['Group'];
export type Webhook = Schemas['Webhook'];
export type WebhookWithSecret = Schemas['WebhookWithSecret'];
export type Delivery = Schemas['Delivery'];
export type DeliveryDetail = Schemas['DeliveryDetail'];
export type Attempt = Schemas['Attempt'];
export type Event = Omit<Schemas['Event'], 'data'> & { data: unknown };
export type Message = Schemas['Message'];
export type SentMessage = Schemas['SentMessage'];
export type Chat = Schemas['Chat'];
export type ChatMessage = Schemas['ChatMessage'];
export type SendMessage = Schemas['SendMessage'];
export type Job = Schemas['Job'];
export type Jobs = Schemas['Page_Job'];
export type CheckedNumber = Schemas['CheckedNumber'];
export type Settings = Schemas['Settings'];
export type ApiKey = Schemas['ApiKey'];
export type ApiKeyWithKey = Schemas['ApiKeyWithKey'];

export const api = createClient<paths>({ baseUrl: '' });

let lost: () => void = () => {};

/** What to do when the server no longer knows who we are. */
export function onSignedOut(act: () => void): void {
  lost = act;
}

api.use({
  onRequest({ request }) {
    request.headers.set('accept-language', i18n.language);
  },
  onResponse({ request, response }) {
    const signIn = new URL(request.url).pathname === '/v1/sign-in';
    if (response.status === 401 && !signIn) lost();
  },
});

/** The answer, or the problem as an exception. */
export async function answer<T>(
  request: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<T> {
  const { data, error, response } = await request;
  if (!response.ok) throw problemOf(response, error);
  return data as T;
}
