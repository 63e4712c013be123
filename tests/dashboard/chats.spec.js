// Conversations, with people of the simulated WhatsApp at the other end.
//   WAGATE_SIM_URL    where the simulator is (http://127.0.0.1:8081)
import AxeBuilder from '@axe-core/playwright';

import { expect, signIn, test, unique } from './dashboard.js';
import { KEY } from './places.js';

const GATEWAY = process.env.WAGATE_URL ?? 'http://127.0.0.1:8080';
const SIMULATOR = process.env.WAGATE_SIM_URL ?? 'http://127.0.0.1:8081';

async function call(url, method = 'GET', body, headers = {}) {
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : null;
}
const api = (path, method, body) => call(GATEWAY + path, method, body, { apikey: KEY });

let people = Math.floor(Date.now() / 1000) % 1_000_000;

/** Somebody new, who does by themselves what `script` says. */
async function person(name, script = 'none') {
  people += 1;
  const phone = `62815${String(people).padStart(7, '0')}`;
  await call(`${SIMULATOR}/sim/phones`, 'POST', { phone, name, script });
  const at = `${SIMULATOR}/sim/phones/${phone}`;
  return {
    phone,
    jid: `${phone}@s.whatsapp.net`,
    writes: (to, text) => call(`${at}/messages`, 'POST', { to: to.phone ?? to, text }),
    sends: (to, file) => call(`${at}/messages`, 'POST', { to: to.phone ?? to, ...file }),
    reads: (from, id) => call(`${at}/read`, 'POST', { chat: from.phone, id }),
    types: (to, state = 'composing') => call(`${at}/typing`, 'POST', { to: to.phone ?? to, state }),
    /** What others do to this phone now. */
    typing: async () => (await call(at)).typing.map(({ state }) => state),
    scan: (qr) => call(`${at}/scan`, 'POST', { qr }),
    group: (subject, members) =>
      call(`${at}/groups`, 'POST', { subject, participants: members.map((one) => one.phone) }),
    messages: async () => (await call(`${at}/messages`)).data,
  };
}

/** A device that is linked to the person's phone. */
async function linked(who) {
  const token = unique('chat');
  await api('/v1/devices', 'POST', { token });
  await api(`/v1/devices/${token}/session/start`, 'POST');
  await who.scan((await api(`/api/qrcode?token=${token}`)).qrcode);
  await expect.poll(async () => (await api(`/v1/devices/${token}/session`)).state, { timeout: 20_000 }).toBe('connected');
  return token;
}

const forget = (token) => api(`/v1/devices/${token}`, 'DELETE');
const chats = (page) => page.getByRole('region', { name: 'Chats' });
const row = (page, name) => chats(page).getByRole('link', { name });
const said = (page, name) => page.getByRole('region', { name: `Messages with ${name}` });
const composer = (page) => page.getByRole('textbox', { name: 'Message', exact: true });

/** All that was said in the conversation, newest first, once there is so much of it. */
async function recorded(token, jid, count) {
  const path = `/v1/devices/${token}/chats/${jid}/messages?limit=200`;
  await expect.poll(async () => (await api(path)).data.length, { timeout: 20_000 }).toBe(count);
  return (await api(path)).data;
}

/** Something that is waited for, and happens once. */
function signal() {
  let give;
  const given = new Promise((resolve) => (give = resolve));
  return { give, given };
}

test('a conversation goes back and forth while it is looked at', async ({ page }) => {
  const [shop, ana] = [await person('Shop'), await person('<img src=x onerror=alert(1)>')];
  const token = await linked(shop);
  await signIn(page, `/devices/${token}/chats`);
  await expect(page.getByText('No chats yet')).toBeVisible();
  const { id } = await ana.writes(shop, 'Is it open <b>today</b>?');
  const listed = row(page, '<img src=x onerror=alert(1)>');
  await expect(listed).toContainText('Is it open <b>today</b>?');
  await expect(listed).toContainText('1 unread');
  await listed.click();
  const talk = said(page, '<img src=x onerror=alert(1)>');
  await expect(talk.getByText('Is it open <b>today</b>?')).toBeVisible();
  await expect(page.getByRole('heading', { name: '<img src=x onerror=alert(1)>' })).toBeFocused();
  await expect(listed).not.toContainText('unread');
  // Who wrote is told that it was read.
  await expect.poll(async () => (await ana.messages()).find((one) => one.id === id)?.status).toBe('read');

  await composer(page).fill('Until six');
  await composer(page).press('Enter');
  const answer = talk.getByRole('listitem').filter({ hasText: 'Until six' });
  await expect(answer).toHaveCount(1);
  await expect(answer).toContainText('Delivered');
  const heard = (await ana.messages()).find((one) => one.text === 'Until six');
  await ana.reads(shop, heard.id);
  await expect(answer).toContainText('Read');
  await expect(listed).toContainText('You: Until six');

  await ana.writes(shop, 'Thank you');
  await expect(talk.getByText('Thank you')).toBeVisible();
  await page.reload();
  await expect(talk.getByRole('listitem').filter({ hasText: /Is it open|Until six|Thank you/ })).toHaveCount(3);
  await forget(token);
});

test('an answer that comes late takes nothing back that was told meanwhile', async ({ page }) => {
  const [shop, ana] = [await person('Shop'), await person('Ana')];
  const token = await linked(shop);
  await ana.writes(shop, 'Is it open?');
  await signIn(page, `/devices/${token}/chats`);
  await row(page, 'Ana').click();
  const talk = said(page, 'Ana');
  await composer(page).fill('Until six');
  await composer(page).press('Enter');
  const answer = talk.getByRole('listitem').filter({ hasText: 'Until six' });
  await expect(answer).toContainText('Delivered');

  const [asked, told] = [signal(), signal()];
  await page.route(
    '**/chats/*/messages*',
    async (route) => {
      const response = await route.fetch();
      asked.give();
      await told.given;
      await route.fulfill({ response });
    },
    { times: 1 },
  );
  await ana.writes(shop, 'And tomorrow?');
  await asked.given;
  await ana.reads(shop, (await ana.messages()).find((one) => one.text === 'Until six').id);
  await expect(answer).toContainText('Read');
  told.give();
  await expect(talk.getByText('And tomorrow?')).toBeVisible();
  await expect(answer).toContainText('Read');
  await forget(token);
});

test('clicking twice sends once, and Shift with Enter begins a new line', async ({ page }) => {
  const [shop, ana] = [await person('Shop'), await person('Ana', 'read')];
  const token = await linked(shop);
  await signIn(page, `/devices/${token}/chats?chat=${encodeURIComponent(ana.jid)}`);
  const talk = said(page, `+${ana.phone}`);
  await expect(talk.getByText('Nothing was said here yet')).toBeVisible();
  await composer(page).fill('one');
  await composer(page).press('Shift+Enter');
  await composer(page).pressSequentially('two');
  await expect(composer(page)).toHaveValue('one\ntwo');
  await page.getByRole('button', { name: 'Send', exact: true }).dblclick();
  await expect(composer(page)).toHaveValue('');
  await expect(talk.getByRole('listitem').filter({ hasText: 'two' })).toContainText('Read');
  await expect(talk.getByRole('listitem').filter({ hasText: 'two' })).toHaveCount(1);
  expect((await recorded(token, ana.jid, 1))[0].text).toBe('one\ntwo');
  await forget(token);
});

test('what does not go out says why, and trying again keeps the key', async ({ page }) => {
  const [shop, ana] = [await person('Shop'), await person('Ana')];
  const token = await linked(shop);
  await signIn(page, `/devices/${token}/chats?chat=${encodeURIComponent(ana.jid)}`);
  const keys = [];
  await page.route('**/messages', (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    keys.push(route.request().headers()['idempotency-key']);
    if (keys.length > 1) return route.continue();
    return route.fulfill({ status: 503, json: { code: 'database_unavailable', detail: 'x' } });
  });
  await composer(page).fill('again');
  await composer(page).press('Enter');
  const talk = said(page, `+${ana.phone}`);
  await expect(talk).toContainText('The database is busy or away');
  await talk.getByRole('button', { name: 'Try again' }).click();
  await expect(talk.getByRole('listitem').filter({ hasText: 'again' })).toContainText('Delivered');
  await expect(talk.getByRole('button', { name: 'Try again' })).toHaveCount(0);
  expect(new Set(keys).size).toBe(1);
  expect(keys.length).toBe(2);
  await recorded(token, ana.jid, 1);
  await forget(token);
});

test('older messages come while scrolling, and are found by what they say', async ({ page }) => {
  test.setTimeout(60_000);
  const [shop, ana] = [await person('Shop'), await person('Ana')];
  const token = await linked(shop);
  for (let number = 0; number < 70; number += 1) await ana.writes(shop, `message ${number}`);
  await recorded(token, ana.jid, 70);
  await signIn(page, `/devices/${token}/chats?chat=${encodeURIComponent(ana.jid)}`);
  const talk = said(page, 'Ana');
  await expect(talk.getByText('message 69')).toBeVisible();
  await expect(talk.getByText('message 0', { exact: true })).toHaveCount(0);
  await talk.evaluate((box) => box.scrollTo(0, -box.scrollHeight));
  await expect(talk.getByText('message 0', { exact: true })).toBeAttached();
  const texts = await talk.getByText(/^message \d+$/).allTextContents();
  expect(texts).toEqual(Array.from({ length: 70 }, (_, number) => `message ${number}`));
  await page.getByRole('button', { name: 'Search in this chat' }).click();
  await page.getByRole('searchbox', { name: 'Search in this chat' }).fill('MESSAGE 7');
  await expect(talk.getByText(/^message \d+$/)).toHaveCount(1);
  await page.keyboard.press('Escape');
  await expect(talk.getByText('message 69')).toBeVisible();
  await forget(token);
});

/** What stands under the name of the conversation. */
const under = (page, name) => page.getByRole('region', { name, exact: true }).locator('header p');

test('who types at the other end is seen in the conversation and in the list, until they stop or write', async ({ page }) => {
  const [shop, ana] = [await person('Shop'), await person('Ana')];
  const token = await linked(shop);
  await ana.writes(shop, 'Hello');
  await recorded(token, ana.jid, 1);
  await signIn(page, `/devices/${token}/chats?chat=${encodeURIComponent(ana.jid)}`);
  await expect(said(page, 'Ana').getByText('Hello')).toBeVisible();
  await expect(under(page, 'Ana')).toHaveText(`+${ana.phone}`);
  await ana.types(shop);
  await expect(under(page, 'Ana')).toHaveText('typing…');
  await expect(row(page, 'Ana')).toContainText('typing…');
  await expect(row(page, 'Ana')).not.toContainText('Hello');
  await ana.types(shop, 'recording');
  await expect(under(page, 'Ana')).toHaveText('recording audio…');
  await ana.types(shop, 'paused');
  await expect(under(page, 'Ana')).toHaveText(`+${ana.phone}`);
  await expect(row(page, 'Ana')).toContainText('Hello');
  await ana.types(shop);
  await expect(under(page, 'Ana')).toHaveText('typing…');
  await ana.writes(shop, 'Are you there?');
  await expect(said(page, 'Ana').getByText('Are you there?')).toBeVisible();
  await expect(under(page, 'Ana')).toHaveText(`+${ana.phone}`);
  await expect(row(page, 'Ana')).toContainText('Are you there?');

  const { jid } = await ana.group('Lunch', [shop]);
  await ana.writes(jid, 'Noodles?');
  await row(page, 'Lunch').click();
  await expect(said(page, 'Lunch').getByText('Noodles?')).toBeVisible();
  await ana.types(jid);
  await expect(under(page, 'Lunch')).toHaveText('Ana is typing…');
  await expect(row(page, 'Lunch')).toContainText('Ana is typing…');
  await forget(token);
});

test('nobody types for ever', async ({ page }) => {
  const [shop, ana] = [await person('Shop'), await person('Ana')];
  const token = await linked(shop);
  await ana.writes(shop, 'Hello');
  await recorded(token, ana.jid, 1);
  await page.clock.install();
  await signIn(page, `/devices/${token}/chats?chat=${encodeURIComponent(ana.jid)}`);
  await expect(said(page, 'Ana').getByText('Hello')).toBeVisible();
  await ana.types(shop);
  await expect(under(page, 'Ana')).toHaveText('typing…');
  await page.clock.fastForward(15_000);
  await expect(under(page, 'Ana')).toHaveText(`+${ana.phone}`);
  await forget(token);
});

test('the other end sees that somebody types here, until the text is emptied, sent or left', async ({ page }) => {
  const [shop, ana] = [await person('Shop'), await person('Ana')];
  const token = await linked(shop);
  const told = [];
  page.on('request', (request) => request.method() === 'PUT' && told.push(request.postDataJSON().state));
  await signIn(page, `/devices/${token}/chats?chat=${encodeURIComponent(ana.jid)}`);
  await composer(page).pressSequentially('Until six');
  await expect.poll(ana.typing).toEqual(['composing']);
  expect(told).toEqual(['composing']);
  await composer(page).fill('');
  await expect.poll(ana.typing).toEqual([]);
  await composer(page).fill('Until seven');
  await expect.poll(ana.typing).toEqual(['composing']);
  await composer(page).press('Enter');
  await expect(said(page, `+${ana.phone}`).getByText('Until seven')).toBeVisible();
  await expect.poll(ana.typing).toEqual([]);
  await composer(page).fill('And');
  await expect.poll(ana.typing).toEqual(['composing']);
  await page.getByRole('link', { name: 'Devices', exact: true }).first().click();
  await expect.poll(ana.typing).toEqual([]);
  expect(told).toEqual(['composing', 'paused', 'composing', 'paused', 'composing', 'paused']);
  await forget(token);
});

test('groups say who wrote, and files what they are', async ({ page }) => {
  const [shop, ana] = [await person('Shop'), await person('Ana')];
  const token = await linked(shop);
  const { jid } = await ana.group('Lunch', [shop]);
  await ana.writes(jid, 'Noodles?');
  await recorded(token, jid, 1);
  await ana.sends(shop, {
    media_base64: Buffer.from('%PDF-1.4').toString('base64'),
    mimetype: 'application/pdf',
    file_name: 'menu.pdf',
    caption: 'have a look',
  });
  await signIn(page, `/devices/${token}/chats`);
  await expect(row(page, 'Lunch')).toContainText('Ana: Noodles?');
  await row(page, /Ana.*have a look/).click();
  await expect(said(page, 'Ana')).toContainText('menu.pdf');
  await row(page, 'Lunch').click();
  await expect(said(page, 'Lunch')).toContainText('Ana');
  await page.getByRole('searchbox', { name: 'Search name or number' }).fill('LUN');
  await expect(chats(page).getByRole('link')).toHaveCount(1);
  await expect(page).toHaveURL(/search=LUN/);
  await forget(token);
});

test('on a narrow screen a conversation takes the place of the list, and is accessible', async ({ page }) => {
  const [shop, ana] = [await person('Shop'), await person('Ana')];
  const token = await linked(shop);
  await ana.writes(shop, `a very long line: ${'x'.repeat(200)}`);
  await recorded(token, ana.jid, 1);
  await page.setViewportSize({ width: 360, height: 800 });
  await signIn(page, `/devices/${token}/chats`);
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await expect(row(page, 'Ana')).toBeVisible();
    expect(await fits()).toBe(true);
    await row(page, 'Ana').click();
    await expect(said(page, 'Ana')).toBeVisible();
    await expect(row(page, 'Ana')).toBeHidden();
    expect(await fits()).toBe(true);
    const { violations } = await new AxeBuilder({ page }).analyze();
    const serious = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
    expect(serious.map(({ id, nodes }) => `${id} ${nodes.map((node) => node.html).join(' ')}`)).toEqual([]);
    await page.getByRole('link', { name: 'Back to chats' }).click();
  }
  await expect(row(page, 'Ana')).toBeVisible();
  await forget(token);
});
