// Who is signed in.
import { answer, api, onSignedOut, type Account, type SignInState } from './api/client';
import { cache } from './cache';
import { stream } from './stream.svelte';

type Standing = 'asking' | 'unreachable' | 'setup' | 'out' | 'in';

let standing = $state<Standing>('asking');
let account = $state<Account | null>(null);
let simulated = $state(false);

export const who = {
  get standing(): Standing {
    return standing;
  },
  get account(): Account | null {
    return account;
  },
  /** Whether the gateway talks to a simulated WhatsApp. */
  get simulated(): boolean {
    return simulated;
  },
};

onSignedOut(() => {
  if (standing === 'in') leave();
});

export async function ask(): Promise<void> {
  standing = 'asking';
  try {
    const found: SignInState = await answer(api.GET('/v1/sign-in'));
    simulated = found.network === 'simulated';
    if (found.account) enter(found.account);
    else if (simulated && (await enteredByLink())) return;
    else standing = found.setup_required ? 'setup' : 'out';
  } catch {
    standing = 'unreachable';
  }
}

/** The sandbox's guide links to the dashboard with the key, which is no secret there. */
async function enteredByLink(): Promise<boolean> {
  const key = /^#key=(.+)$/.exec(location.hash)?.[1];
  if (!key) return false;
  history.replaceState(history.state, '', location.pathname + location.search);
  const entered = await answer(api.POST('/v1/sign-in', { body: { api_key: decodeURIComponent(key) } })).catch(() => null);
  if (entered) enter(entered.account);
  return entered !== null;
}

export function enter(next: Account): void {
  account = next;
  standing = 'in';
  stream.start();
}

export async function signOut(): Promise<void> {
  await answer(api.DELETE('/v1/sign-in'));
  leave();
}

function leave(): void {
  stream.stop();
  cache.clear();
  account = null;
  standing = 'out';
}
