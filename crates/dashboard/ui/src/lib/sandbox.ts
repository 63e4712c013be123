// The simulated people, moved by the simulator's control API, which the gateway passes on below `/sandbox`.
import { phones as words } from './i18n/phones';
import type { TypingState } from './typist';

export type Phone = {
  phone: string;
  lid: string;
  name: string;
  devices: string[];
  online: boolean;
  script: Script;
  typing: { chat: string; sender: string; state: TypingState }[];
};
export type Script = 'none' | 'read' | 'echo' | 'silent';
export const SCRIPTS: Script[] = ['none', 'read', 'echo', 'silent'];
export type PhoneMessage = {
  id: string;
  chat: string;
  sender: string;
  from_me: boolean;
  timestamp: number;
  kind: string;
  text: string | null;
  media: { mimetype: string; file_name: string | null; size: number } | null;
  status: string;
};
/** A request that the sandbox's own receiver took; the time in milliseconds since 1970. */
export type Received = { number: number; received_at: number; webhook_id: string | null; body: unknown };
export type PhoneCall = { call_id: string; from: string; to: string; state: string };

/** Why the simulator did not do it, in the reader's words where there are some. */
export class Refusal extends Error {
  constructor(code: string, message: string) {
    super(words.named('problem', code) ?? message ?? code);
  }
}

async function ask<T>(method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(`/sandbox${path}`, {
    method,
    ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
  }).catch(() => {
    throw new Refusal('simulator_unreachable', '');
  });
  const answer = (await response.json().catch(() => ({}))) as { error?: string; code?: string; message?: string; detail?: string };
  if (!response.ok) {
    throw new Refusal(answer.error ?? answer.code ?? `http_${response.status}`, answer.message ?? answer.detail ?? '');
  }
  return answer as T;
}

const at = (phone: string, rest: string): string => `/phones/${encodeURIComponent(phone)}${rest}`;

export const sandbox = {
  list: () => ask<{ data: Phone[] }>('GET', '/phones').then(({ data }) => data),
  create: (phone: string, name: string, script: Script) => ask<Phone>('POST', '/phones', { phone, name, script }),
  setScript: (phone: string, script: Script) => ask('POST', at(phone, '/script'), { script }),
  setOnline: (phone: string, online: boolean) => ask('POST', at(phone, online ? '/online' : '/offline')),
  scan: (phone: string, qr: string) => ask<{ device: string }>('POST', at(phone, '/scan'), { qr }),
  pairCode: (phone: string, code: string) => ask<{ device: string }>('POST', at(phone, '/pair-code'), { code }),
  unlink: (phone: string, device: string) => ask('POST', at(phone, '/unlink'), { device }),
  messages: (phone: string) => ask<{ data: PhoneMessage[] }>('GET', at(phone, '/messages')).then(({ data }) => data),
  write: (phone: string, to: string, text: string) => ask<{ id: string }>('POST', at(phone, '/messages'), { to, text }),
  type: (phone: string, to: string, state: TypingState) => ask('POST', at(phone, '/typing'), { to, state }),
  read: (phone: string, chat: string, id: string) => ask('POST', at(phone, '/read'), { chat, id }),
  calls: (phone: string) => ask<{ data: PhoneCall[] }>('GET', at(phone, '/calls')).then(({ data }) => data),
  call: (phone: string, to: string) => ask<{ call_id: string }>('POST', at(phone, '/calls'), { to }),
  /** Where the sandbox takes webhooks, and what came, the latest first. */
  receiver: () => ask<{ url: string; data: Received[] }>('GET', '/receiver'),
  hangUp: (phone: string, call: string) => ask('POST', at(phone, `/calls/${encodeURIComponent(call)}/end`)),
};

/** A person's number, or the address of a group as it is. */
export const short = (jid: string): string => jid.replace(/@s\.whatsapp\.net$/, '');

const SIDE = 720;
/** Scanners want an empty border of four modules; a code has at least 21. */
const BORDER = 90;

/** What the camera of a phone sees of a code: a picture, as `data:` address. */
export async function photograph(svg: string): Promise<string> {
  const image = new Image();
  // Without a size of its own some browsers draw nothing.
  image.src = `data:image/svg+xml,${encodeURIComponent(svg.replace('<svg ', `<svg width="${SIDE}" height="${SIDE}" `))}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = SIDE + 2 * BORDER;
  const context = canvas.getContext('2d');
  if (!context) throw new Refusal('no_code', '');
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingEnabled = false;
  context.drawImage(image, BORDER, BORDER, SIDE, SIDE);
  return canvas.toDataURL('image/png');
}
