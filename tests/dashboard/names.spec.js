import { expect, signIn, test, unique } from './dashboard.js';
import { answers, receiver } from './receiver.js';
import { api, forget, linked, person } from './world.js';

/** What people who mean harm, and people who mean nothing, call themselves. */
const NAMES = [
  '<img src=x onerror=alert(1)>',
  '"><svg onload=alert(2)>',
  '<script>alert(3)</script>',
  'javascript:alert(4)',
  '{{constructor.constructor("alert(5)")()}}',
  '‮gnp.exe⁦ invoice',
  `${'𓀀'.repeat(3)}${'very long '.repeat(40)}`.trim(),
  'Ŵ̷̡̛i̶l̵d '.repeat(12).trim(),
  '👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿🧑🏽‍🚀',
  "'; DROP TABLE devices;--",
];
/** The first of them is the one that a browser would run wherever markup slipped through. */
const [WORST] = NAMES;

/** Nothing of a name became an element, ran, or made the page wider. */
async function harmless(page, where) {
  const found = await page.evaluate(() => ({
    elements: document.querySelectorAll('[onerror], [onload], img[src="x"], script:not([src])').length,
    links: [...document.querySelectorAll('a')].filter((link) => link.protocol === 'javascript:').length,
    wide: document.documentElement.scrollWidth > innerWidth,
  }));
  expect(found, where).toEqual({ elements: 0, links: 0, wide: false });
}

const shows = (page, text) => expect(page.getByText(text, { exact: false }).first()).toBeVisible();

test('whatever people call themselves and write is text on every screen', async ({ page }) => {
  test.setTimeout(180_000);
  const token = unique('names');
  const owner = await person(WORST);
  const crowd = [];
  for (const name of NAMES) crowd.push(await person(name));
  for (const one of crowd) await owner.knows(one, one.name);
  for (const name of NAMES) await owner.group(name.slice(0, 90), crowd.slice(0, 3));
  await linked(token, owner);
  const target = await receiver(answers(500, `<html>${WORST}</html>`));
  const { id } = await api.post('/v1/webhooks', { url: target.url, device: token, headers: { 'x-note': WORST } });
  for (const one of crowd) await one.writes(owner, one.name);
  await expect
    .poll(async () => (await api.get(`/v1/events?device=${token}&type=message.received&limit=50`)).data.length, { timeout: 20_000 })
    .toBe(NAMES.length);

  await signIn(page);
  for (const width of [1280, 360]) {
    await page.setViewportSize({ width, height: 800 });
    await page.goto(`/devices?search=${token}`);
    await shows(page, WORST);
    await harmless(page, `devices at ${width}`);

    await page.goto(`/devices/${token}`);
    await expect(page.getByRole('heading', { level: 1, name: WORST })).toBeVisible();
    await harmless(page, `connection at ${width}`);

    await page.goto(`/devices/${token}/contacts`);
    for (const name of [WORST, NAMES[3]]) {
      await page.getByRole('searchbox').fill(name.slice(0, 20));
      await shows(page, name);
    }
    await page.getByRole('searchbox').fill('');
    await shows(page, NAMES[8]);
    await harmless(page, `contacts at ${width}`);

    await page.goto(`/devices/${token}/groups`);
    await shows(page, WORST);
    await harmless(page, `groups at ${width}`);
    await page.getByRole('button', { name: WORST }).first().click();
    await expect(page.getByRole('dialog', { name: WORST })).toBeVisible();
    await harmless(page, `group at ${width}`);
    await page.keyboard.press('Escape');

    await page.goto(`/events?device=${token}`);
    await expect(page.getByText(WORST, { exact: true }).first()).toBeVisible();
    for (const summary of await page.getByRole('list', { name: 'Events' }).locator(':scope > li > details > summary').all()) {
      await summary.click();
    }
    await harmless(page, `events at ${width}`);

    await page.goto(`/webhooks/${id}`);
    await page.getByRole('region', { name: 'Deliveries' }).getByRole('button', { name: /message.received/ }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/^▸ Body sent/).click();
    await expect(dialog.getByLabel('Response').first()).toContainText(`<html>${WORST}`);
    await harmless(page, `delivery at ${width}`);
    await page.keyboard.press('Escape');
    await page.goto('/webhooks');
    await shows(page, target.url);
    await harmless(page, `webhooks at ${width}`);

    await page.goto(`/devices/${token}/send`);
    await page.getByLabel('Recipient').fill(WORST);
    await page.getByLabel('Message', { exact: true }).fill(WORST);
    await harmless(page, `send at ${width}`);
  }
  // A search that comes in the address is text, too.
  await page.goto(`/devices?search=${encodeURIComponent(WORST)}&workspace=${encodeURIComponent(NAMES[1])}`);
  await expect(page.getByText('No device matches')).toBeVisible();
  await harmless(page, 'search');
  await target.end();
  await api.delete(`/v1/webhooks/${id}`);
  await forget(token);
});

test('a name of a device is text, too', async ({ page }) => {
  const token = unique('called');
  await api.post('/v1/devices', { token, name: WORST, workspace: NAMES[1] });
  await signIn(page, `/devices?search=${token}`);
  const found = page.getByRole('row', { name: token });
  await expect(found).toContainText(WORST);
  await expect(found).toContainText(NAMES[1]);
  await page.getByRole('button', { name: `Actions for ${WORST}` }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await expect(page.getByRole('dialog', { name: `Delete ${WORST}` })).toBeVisible();
  await harmless(page, 'dialog');
  await page.keyboard.press('Escape');
  await forget(token);
});
