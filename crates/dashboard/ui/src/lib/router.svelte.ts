// Addresses: the path says which screen, the query holds what it is filtered by.
import type { Component } from 'svelte';

type Params = Record<string, string>;
// Screens without parts in their address take nothing, which a component's type does not let one say.
type Screen = Component<any>;
type Route = { pattern: string; load: () => Promise<{ default: Screen }> };

let path = $state(location.pathname);
let search = $state(location.search);
/** How many pages of a list lie behind this one in the history. */
let depth = $state(0);

function read(): void {
  path = location.pathname;
  search = location.search;
  depth = (history.state as { depth?: number } | null)?.depth ?? 0;
}

addEventListener('popstate', read);

export const router = {
  get path(): string {
    return path;
  },
  get depth(): number {
    return depth;
  },
  /** What the query says about `name`; empty when it says nothing. */
  query(name: string): string {
    return new URLSearchParams(search).get(name) ?? '';
  },
};

export function navigate(href: string, options: { replace?: boolean; depth?: number } = {}): void {
  const state = { depth: options.depth ?? 0 };
  if (options.replace) history.replaceState(state, '', href);
  else history.pushState(state, '', href);
  read();
}

/** Changes the query. Filters replace the address, so that Back leaves the list; pages of it push. */
export function setQuery(changes: Record<string, string>, options: { push?: boolean } = {}): void {
  const query = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const text = query.toString();
  const href = path + (text ? `?${text}` : '');
  navigate(href, options.push ? { depth: depth + 1 } : { replace: true });
}

/** Follows links of ours without loading the page again. */
export function followLinks(event: MouseEvent): void {
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  const link = (event.target as Element | null)?.closest?.('a');
  if (!plain || event.defaultPrevented || !link || link.target || link.hasAttribute('download')) return;
  if (link.origin !== location.origin || link.hasAttribute('data-external')) return;
  event.preventDefault();
  if (link.href !== location.href) navigate(link.pathname + link.search);
}

/** The parts of `path` that `pattern` names, if it has that form: `/devices/:token`. */
function match(pattern: string, path: string): Params | null {
  const wanted = pattern.split('/');
  const given = path.replace(/(.)\/$/, '$1').split('/');
  if (wanted.length !== given.length) return null;
  const params: Params = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? '';
    if (part.startsWith(':')) {
      try {
        params[part.slice(1)] = decodeURIComponent(value);
      } catch {
        return null;
      }
    } else if (part !== value) return null;
  }
  return params;
}

export function resolve(routes: Route[], path: string): { route: Route; params: Params } | null {
  for (const route of routes) {
    const params = match(route.pattern, path);
    if (params) return { route, params };
  }
  return null;
}

export const devicePath = (token: string, tab = ''): string =>
  `/devices/${encodeURIComponent(token)}${tab ? `/${tab}` : ''}`;
export const webhookPath = (id: string): string => `/webhooks/${encodeURIComponent(id)}`;
