// A request to an operation as it is typed in: what is sent when it is tried, and what the snippets say.
import type { Request } from '../snippets';
import { type Operation, type Parameter } from './document';
import { exampleOf } from './schema';
import type { Schema } from './document';

/** By `in:name`. */
export type Values = Record<string, string>;

export const nameOf = ({ in: place, name }: Parameter): string => `${place}:${name}`;

/** The device that a request is about is named in its path, or by its token. */
const namesDevice = ({ in: place, name }: Parameter): boolean =>
  (place === 'path' && name === 'device') || (place === 'query' && name === 'token');

const text = (value: unknown): string => (Array.isArray(value) ? value.join(',') : value === undefined || value === null ? '' : String(value));

/** What stands in the fields at first: what has to be there, and the token where no body says it. */
export function defaults(operation: Operation, device: string): Values {
  const wanted = operation.parameters.filter(
    (one) => one.required || (namesDevice(one) && (operation.body === null || operation.method === 'GET')),
  );
  return Object.fromEntries(wanted.map((one) => [nameOf(one), namesDevice(one) ? device : text(one.example)]));
}

/** The body to begin with, about this device; empty when there is none. */
export function bodyText(operation: Operation, schemas: Record<string, Schema>, device: string): string {
  if (!operation.body) return '';
  const example = operation.body.example ?? exampleOf(operation.body.schema, schemas, 'request');
  const about = example && typeof example === 'object' && 'token' in example && operation.path.startsWith('/api/');
  return JSON.stringify(about ? { ...example, token: device } : example, null, 2);
}

/** The address below the origin. What is not filled in stays as the path names it. */
export function address(operation: Operation, values: Values): string {
  const path = operation.path.replace(/\{(\w+)\}/g, (all, name: string) => {
    const value = values[`path:${name}`];
    return value ? encodeURIComponent(value) : all;
  });
  const query = new URLSearchParams();
  for (const { in: place, name } of operation.parameters) {
    const value = values[`query:${name}`];
    if (place === 'query' && value) query.set(name, value);
  }
  const asked = query.toString().replaceAll('+', '%20');
  return asked ? `${path}?${asked}` : path;
}

export function headers(operation: Operation, values: Values): Record<string, string> {
  const given = operation.parameters.filter((one) => one.in === 'header' && values[nameOf(one)]);
  return Object.fromEntries(given.map((one) => [one.name, values[nameOf(one)] ?? '']));
}

/** The older surface calls its header so; both take either. */
export const keyHeader = (operation: Operation): string => (operation.path.startsWith('/v1') ? 'X-Api-Key' : 'apikey');

export function asSnippet(operation: Operation, values: Values, body: object | undefined, origin: string): Request {
  return {
    method: operation.method,
    url: origin + address(operation, values),
    key: operation.access === 'open' ? null : keyHeader(operation),
    headers: headers(operation, values),
    ...(body ? { body } : {}),
    endless: operation.endless,
  };
}

/** Fields of a body, if it can be read. */
export function parsed(body: string): { value: object | undefined; reason: string } {
  if (!body.trim()) return { value: undefined, reason: '' };
  try {
    const value: unknown = JSON.parse(body);
    return value && typeof value === 'object' ? { value, reason: '' } : { value: undefined, reason: '{ … }?' };
  } catch (error) {
    return { value: undefined, reason: String((error as Error).message) };
  }
}
