// The people of the simulated WhatsApp, and the gateway's API as a program uses it.
import { expect } from '@playwright/test';

import { GATEWAY, KEY, SIMULATOR } from './places.js';

async function call(url, method, body, headers = {}) {
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

/** The gateway's API at `base`, with the key. */
export const apiOf = (base, key = KEY) => ({
  get: (path) => call(base + path, 'GET', undefined, { apikey: key }),
  post: (path, body = {}) => call(base + path, 'POST', body, { apikey: key }),
  delete: (path) => call(base + path, 'DELETE', undefined, { apikey: key }),
});
export const api = apiOf(GATEWAY);

/** The simulator's control API. */
export const sim = {
  get: (path) => call(SIMULATOR + path, 'GET'),
  post: (path, body = {}) => call(SIMULATOR + path, 'POST', body),
  delete: (path) => call(SIMULATOR + path, 'DELETE'),
};

let people = Math.floor(Date.now() / 1000) % 1_000_000;

/** Somebody new, who does by themselves what `script` says. */
export async function person(name, script = 'none') {
  people += 1;
  const phone = `62813${String(people).padStart(7, '0')}`;
  await sim.post('/sim/phones', { phone, name, script });
  const at = `/sim/phones/${phone}`;
  return {
    phone,
    name,
    /** Scans a code: its text, or a picture of it as a `data:` address. */
    scan: (qr) => sim.post(`${at}/scan`, { qr }),
    typeCode: (code) => sim.post(`${at}/pair-code`, { code }),
    unlink: (device) => sim.post(`${at}/unlink`, { device }),
    knows: (who, as) => sim.post(`${at}/contacts`, { phone: who.phone, name: as }),
    writes: (to, text) => sim.post(`${at}/messages`, { to: to.phone ?? to, text }),
    /** Types, records (`recording`) or stops (`paused`). */
    types: (to, state = 'composing') => sim.post(`${at}/typing`, { to: to.phone ?? to, state }),
    /** What others do to this phone now. */
    typing: async () => (await sim.get(at)).typing,
    group: (subject, members) => sim.post(`${at}/groups`, { subject, participants: members.map((one) => one.phone) }),
    messages: async () => (await sim.get(`${at}/messages`)).data,
    /** Something goes wrong for this phone's devices. Returns what ends that. */
    fault: async (fault) => {
      const { id } = await sim.post('/sim/faults', { phone, ...fault });
      return () => sim.delete(`/sim/faults/${id}`);
    },
  };
}

/** A device that is linked to the person's phone, without looking at any screen. */
export async function linked(token, who, gateway = api) {
  await gateway.post('/v1/devices', { token });
  await gateway.post(`/v1/devices/${token}/session/start`);
  const { qrcode } = await gateway.get(`/api/qrcode?token=${token}`);
  const { device } = await who.scan(qrcode);
  await connected(token, gateway);
  return { token, jid: device };
}

export async function connected(token, gateway = api) {
  await expect.poll(async () => (await gateway.get(`/v1/devices/${token}/session`)).state, { timeout: 20_000 }).toBe('connected');
}

/** Deletes what a story made; what is gone already is fine. */
export async function forget(...tokens) {
  for (const token of tokens) await api.delete(`/v1/devices/${token}`).catch(() => undefined);
}
