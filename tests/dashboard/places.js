// Where everything is, and what opens it.
export const GATEWAY = process.env.WAGATE_URL ?? 'http://127.0.0.1:8080';
export const KEY = process.env.WAGATE_API_KEY ?? 'sandbox-key-0123456789';
export const SIMULATOR = process.env.WAGATE_SIM_URL ?? 'http://127.0.0.1:8081';

/** The program for a gateway of one's own. */
export function program() {
  const path = process.env.WAGATE_PROGRAM;
  if (!path) throw new Error('WAGATE_PROGRAM has to name wagate-sandbox');
  return path;
}

export const unique = (name) => `${name}-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 6)}`;
