// The one live connection. It feeds the query cache; screens read that and ask nobody.
import {
  api,
  type Delivery,
  type Device,
  type Devices,
  type Event,
  type Job,
  type Jobs,
  type Message,
  type Session,
} from './api/client';
import { keys } from './api/keys';
import { cache } from './cache';
import type { Typing } from './typing.svelte';

type Standing = 'live' | 'reconnecting' | 'offline';
type Listener = (event: Event) => void;
type Overhearer = (typing: Typing) => void;

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;
/** After so many failures in a row the gateway counts as away. */
const OFFLINE_AFTER = 4;
/** Lists are asked for again at most this often, however fast events come. */
const GATHER_MS = 750;

let standing = $state<Standing>('reconnecting');
let source: EventSource | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
let last = '';
let failures = 0;
let opened = false;
const listeners = new Set<Listener>();
const overhearers = new Set<Overhearer>();

export const stream = {
  get standing(): Standing {
    return standing;
  },
  start(): void {
    stream.stop();
    opened = false;
    connect();
  },
  stop(): void {
    clearTimeout(timer);
    timer = undefined;
    source?.close();
    source = null;
    last = '';
    failures = 0;
    standing = 'reconnecting';
  },
  /** Calls `listener` for each recorded event; returns what ends that. */
  listen(listener: Listener): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  /** Calls `listener` whenever somebody types, or has stopped; returns what ends that. */
  overhear(listener: Overhearer): () => void {
    overhearers.add(listener);
    return () => overhearers.delete(listener);
  },
};

addEventListener('online', () => {
  if (source || timer) {
    clearTimeout(timer);
    source?.close();
    connect();
  }
});
addEventListener('offline', () => (standing = 'offline'));

function connect(): void {
  const query = last ? `?after=${encodeURIComponent(last)}` : '';
  const current = new EventSource(`/v1/stream${query}`);
  source = current;
  current.onopen = () => {
    failures = 0;
    standing = 'live';
    // States are not replayed, so what changed meanwhile is asked for.
    if (opened) void cache.invalidateQueries();
    opened = true;
  };
  current.onerror = () => {
    if (current !== source) return;
    failures += 1;
    standing = failures >= OFFLINE_AFTER || !navigator.onLine ? 'offline' : 'reconnecting';
    if (current.readyState !== EventSource.CLOSED) return; // The browser tries again and says where it was.
    source = null;
    clearTimeout(timer);
    timer = setTimeout(connect, Math.min(FIRST_WAIT_MS * 2 ** failures, LONGEST_WAIT_MS));
    // A refusal may mean that we are signed out, which an answer to any request tells.
    api.GET('/v1/workspaces').catch(() => undefined);
  };
  on<{ device: string; session: Session }>(current, 'session', ({ device, session }) => stateChanged(device, session));
  on<Event>(current, 'recorded', recorded);
  on<Typing>(current, 'typing', (typing) => {
    for (const listener of overhearers) listener(typing);
  });
  on<Delivery & { others: number }>(current, 'delivery', ({ id, webhook, others }) => {
    refresh(keys.deliveries);
    refresh(keys.webhooks);
    refresh(keys.webhook(webhook));
    // When more changed than is told, any of those in sight may be among them.
    refresh(others > 0 ? ['delivery'] : keys.delivery(id));
    refresh(keys.health);
  });
  on<Job>(current, 'job', (job) => {
    cache.setQueryData(keys.job(job.id), job);
    cache.setQueriesData<Jobs>({ queryKey: keys.jobs }, (page) =>
      page && { ...page, data: page.data.map((one) => (one.id === job.id ? job : one)) },
    );
    refresh(keys.jobs);
    // What a replay asked for, and what stands as before when it is cancelled.
    if (job.kind === 'webhook_replay') refresh(keys.deliveries);
  });
}

function on<T>(source: EventSource, type: string, act: (data: T) => void): void {
  source.addEventListener(type, (event: MessageEvent<string>) => {
    if (event.lastEventId) last = event.lastEventId;
    act(JSON.parse(event.data) as T);
  });
}

function stateChanged(token: string, session: Session): void {
  const before = cache.getQueryData<Session>(keys.session(token));
  cache.setQueryData(keys.session(token), session);
  const bare = { ...session, qr: null };
  const change = (device: Device): Device => (device.token === token ? { ...device, session: bare } : device);
  cache.setQueriesData<Devices>({ queryKey: keys.devices }, (page) =>
    page && { ...page, data: page.data.map(change) },
  );
  cache.setQueryData<Device>(keys.device(token), (device) => device && change(device));
  if (before?.state !== session.state) {
    // An answer that was under way may be older than this, and would stay.
    refresh(keys.session(token));
    // Whose account it is comes and goes with the state, and so does what a filter shows.
    refresh(keys.device(token));
    refresh(keys.devices);
    refresh(keys.health);
  }
}

function recorded(event: Event): void {
  if (event.type.startsWith('message.') && event.type !== 'message.received') progressed(event);
  if (event.type === 'webhook.disabled') {
    refresh(keys.webhooks);
    refresh(['webhook']);
  }
  for (const listener of listeners) listener(event);
}

type Progress = { id: string; status: string; failure: Message['failure'] };

/** How far a message can be; it never goes back. */
const STEPS = ['queued', 'unknown', 'failed', 'sent', 'delivered', 'read', 'played'];

function progressed(event: Event): void {
  const { id, status, failure } = event.data as Progress;
  cache.setQueryData<Message>(keys.message(event.device.token, id), (message) => {
    if (!message || STEPS.indexOf(status) < STEPS.indexOf(message.status)) return message;
    return { ...message, status, failure, updated_at: event.timestamp };
  });
}

const waiting = new Set<string>();

function refresh(queryKey: readonly string[]): void {
  const name = queryKey.join('/');
  if (waiting.has(name)) return;
  waiting.add(name);
  setTimeout(() => {
    waiting.delete(name);
    void cache.invalidateQueries({ queryKey });
  }, GATHER_MS);
}
