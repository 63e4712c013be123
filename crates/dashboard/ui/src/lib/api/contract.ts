// What `docs/openapi.json` does not describe yet, in the form that openapi-typescript gives it. Once it
// does, this file goes, and `client.ts` takes the generated types alone.
import type { components } from '../../../generated/schema';

type Problem = components['schemas']['Problem'];

export type Account = { name: string; via: 'password' | 'api_key'; expires_at: string };
export type SignIn = { setup_required: boolean; account: Account | null };

export type Qr = { svg: string; expires_at: string };
export type Session = {
  state: string;
  since: string | null;
  reason: string | null;
  detail: string | null;
  qr: Qr | null;
  next_attempt_at?: string | null;
};
export type Device = {
  id: string;
  token: string;
  name: string | null;
  workspace: string | null;
  phone: string | null;
  lid: string | null;
  push_name: string | null;
  picture_url: string | null;
  created_at: string;
  session: Session;
};
export type Devices = { data: Device[]; next: string | null; total: number };
export type PairCode = { code: string; expires_at: string; phone: string };
export type Contact = {
  jid: string;
  phone: string | null;
  lid: string | null;
  first_name: string | null;
  full_name: string | null;
  push_name: string | null;
  business_name: string | null;
};
export type Group = {
  id: string;
  name: string;
  description: string | null;
  owner: string | null;
  announce: boolean;
  locked: boolean;
  community: boolean;
  parent: string | null;
  created_at: string | null;
  participant_count: number;
};
export type Participant = { jid: string; phone: string | null; lid: string | null; role: string };
export type GroupDetail = Group & { participants: Participant[] };
export type Health = {
  version: string;
  started_at: string;
  ready: boolean;
  reason: string | null;
  database: string;
  sessions: Record<string, number> | null;
  queue: { pending: number; dead: number } | null;
};
type Page<T> = { data: T[]; next: string | null };

type Json<T> = { headers: Record<string, unknown>; content: { 'application/json': T } };
type Operation<P, B, R> = {
  parameters: P & { header?: never; cookie?: never };
  requestBody?: [B] extends [never] ? never : { content: { 'application/json': B } };
  responses: {
    200: Json<R>;
    default: { headers: Record<string, unknown>; content: { 'application/problem+json': Problem } };
  };
};
type Plain = { query?: never; path?: never };
type InDevice<Q = never> = { query?: Q; path: { device: string } };
type Search = { search?: string; limit?: number; after?: string };

export type ContractPaths = {
  '/v1/sign-in': {
    get: Operation<Plain, never, SignIn>;
    post: Operation<Plain, { name: string; password: string } | { api_key: string }, { account: Account }>;
    delete: Operation<Plain, never, undefined>;
  };
  '/v1/setup': {
    post: Operation<Plain, { code: string; name: string; password: string }, { account: Account }>;
  };
  '/v1/devices': {
    get: Operation<{ query?: Search & { workspace?: string; state?: string }; path?: never }, never, Devices>;
    post: Operation<Plain, { token: string; name?: string; workspace?: string }, Device>;
  };
  '/v1/devices/{device}': {
    get: Operation<InDevice, never, Device>;
    patch: Operation<InDevice, { name?: string; workspace?: string }, Device>;
    delete: Operation<InDevice, never, undefined>;
  };
  '/v1/devices/{device}/session': { get: Operation<InDevice, never, Session> };
  '/v1/devices/{device}/session/start': { post: Operation<InDevice, never, Session> };
  '/v1/devices/{device}/session/reconnect': { post: Operation<InDevice, never, Session> };
  '/v1/devices/{device}/session/log-out': { post: Operation<InDevice, never, Session> };
  '/v1/devices/{device}/session/pair': { post: Operation<InDevice, { phone: string }, PairCode> };
  '/v1/devices/{device}/contacts': { get: Operation<InDevice<Search>, never, Page<Contact>> };
  '/v1/devices/{device}/groups': { get: Operation<InDevice<Search>, never, Page<Group>> };
  '/v1/devices/{device}/groups/{id}': {
    get: Operation<{ query?: never; path: { device: string; id: string } }, never, GroupDetail>;
  };
  '/v1/health': { get: Operation<Plain, never, Health> };
};
