import { badge, createDevice, expect, photograph, signIn, test, unique } from './dashboard.js';
import { connected, forget, linked, person, sim } from './world.js';

const SCAN_SHOWN_MS = 2_000;
const LOSS_SHOWN_MS = 5_000;
/** WhatsApp's first code lives a minute. */
const NEXT_CODE_MS = 75_000;

test('a new device goes through its phases to a code that a phone can scan, and is connected', async ({ page }) => {
  const [token, anna] = [unique('scan'), await person('Anna')];
  await signIn(page);
  const { id } = await sim.post('/sim/faults', { kind: 'delay', delay_ms: 1_500, count: 1 });
  await page.getByRole('button', { name: 'New device', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Create New Device Token' });
  await dialog.getByLabel('Token Name').fill(token);
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByText('Waiting for generation…')).toBeVisible();
  const code = page.getByRole('img', { name: 'Code to scan with WhatsApp' });
  await expect(code).toBeVisible();
  await expect(page.getByText('OR PAIR WITH PHONE')).toBeVisible();
  await sim.delete(`/sim/faults/${id}`).catch(() => undefined);

  // Whoever comes later sees that the state is asked for, before it is known.
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await page.route('**/session', async (route) => {
    await released;
    await route.continue();
  });
  await page.reload();
  await expect(page.getByText('Checking…')).toBeVisible();
  release();
  await expect(code).toBeVisible();

  await anna.scan(await photograph(page));
  await expect(badge(page, 'Connected')).toBeVisible({ timeout: SCAN_SHOWN_MS });
  await expect(page.getByText(`+${anna.phone}`)).toBeVisible();
  await page.goto('/devices');
  await expect(page.getByRole('row', { name: new RegExp(token) }).getByText('Connected')).toBeVisible();
  await forget(token);
});

test('a lost connection is shown with its reason, and that it came back', async ({ page }) => {
  const [token, anna] = [unique('drop'), await person('Anna')];
  await linked(token, anna);
  await signIn(page, `/devices/${token}`);
  await expect(badge(page, 'Connected')).toBeVisible();
  const healed = await anna.fault({ kind: 'drop' });
  await expect(badge(page, 'Connected')).toHaveCount(0, { timeout: LOSS_SHOWN_MS });
  await expect(badge(page, 'Unreachable')).toBeVisible();
  await expect(page.locator('#main')).toContainText('Connection lost');
  await expect(page.locator('#main')).toContainText('It is tried again by itself.');
  await healed();
  await expect(badge(page, 'Connected')).toBeVisible({ timeout: 30_000 });
  await forget(token);
});

for (const [what, happens, state, reason] of [
  ['the phone unlinks it', (anna, device) => anna.unlink(device), 'Logged out', 'The link was removed'],
  ['another client takes its place', (anna) => anna.fault({ kind: 'stream_error', conflict: 'replaced', count: 1 }), 'Replaced', 'Another connection took its place'],
  ['the account is banned', (anna) => anna.fault({ kind: 'ban', expire_secs: 3600 }), 'Banned', 'Banned by WhatsApp'],
]) {
  test(`when ${what}, the screen says so and what to do`, async ({ page }) => {
    const [token, anna] = [unique('ended'), await person('Anna')];
    const { jid } = await linked(token, anna);
    await signIn(page, `/devices/${token}`);
    await expect(badge(page, 'Connected')).toBeVisible();
    await happens(anna, jid);
    await sim.post(`/sim/phones/${anna.phone}/typing`, { to: anna.phone }).catch(() => undefined);
    await expect(badge(page, state)).toBeVisible();
    await expect(page.locator('#main')).toContainText(reason);
    await forget(token);
    await sim.delete('/sim/faults');
  });
}

test('a code is followed by the next one without a click', async ({ page }) => {
  test.setTimeout(NEXT_CODE_MS + 60_000);
  const [token, anna] = [unique('renew'), await person('Anna')];
  await signIn(page);
  await createDevice(page, token);
  const code = page.getByRole('img', { name: 'Code to scan with WhatsApp' });
  await expect(code).toBeVisible();
  // The seconds are for the eyes; a screen reader hears once that there is a code.
  await expect(page.locator('[aria-live=polite]', { hasText: 'A code is ready to scan.' })).toHaveCount(1);
  await expect(page.locator('figcaption[aria-live]')).toHaveCount(0);
  await expect(page.getByText(/^A new code in \d+ s$/)).toBeVisible();
  const first = await code.getAttribute('src');
  await expect(code).not.toHaveAttribute('src', first, { timeout: NEXT_CODE_MS });

  // Black on white with four modules of quiet zone, also in the dark.
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect(code.locator('..')).toHaveCSS('background-color', 'rgb(255, 255, 255)');
  const [outside, inside, modules] = await code.evaluate((image) => {
    const { width } = image.getBoundingClientRect();
    const svg = new DOMParser().parseFromString(decodeURIComponent(image.src.split(',').slice(1).join(',')), 'image/svg+xml');
    const size = Number(svg.documentElement.getAttribute('viewBox').split(' ')[2]);
    return [parseFloat(getComputedStyle(image.parentElement).paddingLeft), width, size];
  });
  expect((outside / inside) * modules).toBeGreaterThanOrEqual(4);
  await anna.scan(await photograph(page));
  await expect(badge(page, 'Connected')).toBeVisible();
  await forget(token);
});

test('a number is shown as it will be sent, and its code links the phone', async ({ page, context, baseURL }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: baseURL });
  const [token, anna] = [unique('pair'), await person('Anna')];
  await signIn(page);
  await createDevice(page, token);
  const number = page.getByLabel('Number of the phone');
  for (const [country, typed, sent] of [
    ['BR', '(11) 91234-5678', '+5511912345678'],
    ['IN', '098765 43210', '+919876543210'],
    ['ID', `0${anna.phone.slice(2)}`, `+${anna.phone}`],
  ]) {
    await page.getByLabel('Country').selectOption(country);
    await number.fill(typed);
    await expect(page.getByText(sent)).toBeVisible();
  }
  await page.getByRole('button', { name: 'Get a code' }).click();
  const shown = page.getByText(/^[A-Z0-9]{4}-[A-Z0-9]{4}$/);
  await expect(shown).toBeVisible();
  const code = await shown.innerText();
  await page.getByRole('button', { name: 'Copy: Pairing code' }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(code);
  await anna.typeCode(code);
  await expect(badge(page, 'Connected')).toBeVisible();
  await connected(token);
  await forget(token);
});
