// Who is signed in.
import { answer, api, onSignedOut, type Account, type SignInState } from './api/client';
import { cache } from './cache';
import { stream } from './stream.svelte';

type Standing = 'asking' | 'unreachable' | 'setup' | 'out' | 'in';

let standing = $state<Standing>('asking');
let account = $state<Account | null>(null);

export const who = {
  get standing(): Standing {
    return standing;
  },
  get account(): Account | null {
    return account;
  },
};

onSignedOut(() => {
  if (standing === 'in') leave();
});

export async function ask(): Promise<void> {
  standing = 'asking';
  try {
    const found: SignInState = await answer(api.GET('/v1/sign-in'));
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
