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
    else standing = found.setup_required ? 'setup' : 'out';
  } catch {
    standing = 'unreachable';
  }
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
