// The time, once a second, for all that counts.
let now = $state(Date.now());
setInterval(() => (now = Date.now()), 1000);

export const time = {
  get now(): number {
    return now;
  },
};

/** Whole seconds until `at`, never below zero. */
export function secondsUntil(at: string): number {
  return Math.max(0, Math.ceil((new Date(at).getTime() - now) / 1000));
}
