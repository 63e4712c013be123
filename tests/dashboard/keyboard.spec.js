import { badge, expect, signIn, test, unique } from './dashboard.js';
import { answers, receiver } from './receiver.js';
import { api, forget, linked, person } from './world.js';

/** Tabs until `target` has the focus, as somebody without a mouse does. */
async function tabTo(page, target, most = 60) {
  for (let step = 0; step < most; step += 1) {
    if (await target.evaluate((element) => element === document.activeElement).catch(() => false)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`not reached by Tab: ${target}`);
}

/** Where the focus is must be seen. */
async function visibleFocus(page) {
  const outline = await page.evaluate(() => {
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
    return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
  });
  expect(outline).toBe(true);
}

const button = (page, name) => page.getByRole('button', { name, exact: true });

test('a device is made, linked, used, and deleted without a mouse', async ({ page }) => {
  test.setTimeout(90_000);
  const [token, anna, ben] = [unique('keys'), await person('Anna'), await person('Ben', 'read')];
  await signIn(page, '/webhooks');
  await page.locator('h1').focus();
  await page.keyboard.press('g');
  await page.keyboard.press('d');
  await expect(page).toHaveURL(/\/devices$/);
  await expect(page.locator('h1')).toBeFocused();
  await tabTo(page, button(page, 'New device').first());
  await visibleFocus(page);
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  await expect(button(page, 'New device').first()).toBeFocused();

  await page.keyboard.press('Enter');
  await expect(dialog).toBeVisible();
  await tabTo(page, dialog.getByLabel('Token Name'));
  // The focus stays inside, however far one tabs.
  for (let step = 0; step < 12; step += 1) {
    await page.keyboard.press('Tab');
    expect(await dialog.evaluate((box) => box.contains(document.activeElement))).toBe(true);
  }
  await tabTo(page, dialog.getByLabel('Token Name'));
  await page.keyboard.type(token);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('img', { name: 'Code to scan with WhatsApp' })).toBeVisible();

  await tabTo(page, page.getByLabel('Number of the phone'));
  await page.keyboard.type(`+${anna.phone}`);
  await page.keyboard.press('Enter');
  const code = page.getByText(/^[A-Z0-9]{4}-[A-Z0-9]{4}$/);
  await anna.typeCode(await code.innerText());
  await expect(badge(page, 'Connected')).toBeVisible();

  await tabTo(page, page.getByRole('link', { name: 'Send Message' }));
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByLabel('Recipient'));
  await page.keyboard.type(`+${ben.phone}`);
  await tabTo(page, page.getByLabel('Message', { exact: true }));
  await page.keyboard.type('no mouse');
  await tabTo(page, button(page, 'Send'));
  await page.keyboard.press('Enter');
  await expect(page.locator('li[aria-current=step]')).toContainText('Read');

  await page.keyboard.press('g');
  await page.keyboard.press('d');
  await expect(page.getByRole('heading', { name: 'Devices', level: 1 })).toBeFocused();
  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox')).toBeFocused();
  await page.keyboard.type(token);
  await expect(page.getByText('1 device', { exact: true })).toBeVisible();
  const menu = page.getByRole('button', { name: /^Actions for/ });
  await tabTo(page, menu);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menuitem').first()).toBeFocused();
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await expect(dialog).toBeVisible();
  await tabTo(page, dialog.getByRole('textbox'));
  await page.keyboard.type(token);
  await page.keyboard.press('Enter');
  await expect(page.getByText('No device matches')).toBeVisible();
});

test('a delivery is looked at, resent and replayed without a mouse', async ({ page }) => {
  const [token, anna, ben] = [unique('keys'), await person('Anna'), await person('Ben')];
  await linked(token, anna);
  const target = await receiver(answers(500));
  const { id } = await api.post('/v1/webhooks', { url: target.url, device: token, events: ['message.received'] });
  await ben.writes(anna, 'hello');
  await signIn(page, `/webhooks/${id}`);
  const event = page.getByRole('region', { name: 'Deliveries' }).getByRole('button', { name: /message.received/ });
  await expect(event).toBeVisible();
  await tabTo(page, event);
  await visibleFocus(page);
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toBeVisible();
  target.act = answers(200);
  await tabTo(page, dialog.getByRole('button', { name: 'Resend' }));
  await page.keyboard.press('Enter');
  await expect(dialog.getByText('Delivered', { exact: true })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(event).toBeFocused();

  await tabTo(page, button(page, 'Replay since…'), 80);
  await page.keyboard.press('Enter');
  await tabTo(page, dialog.getByLabel('Which'));
  await page.keyboard.press('ArrowDown');
  await tabTo(page, dialog.getByRole('button', { name: 'Replay', exact: true }));
  const came = target.got.length;
  await page.keyboard.press('Enter');
  await expect.poll(() => target.got.length).toBe(came + 1);
  await page.keyboard.press('Escape');
  await expect(button(page, 'Replay since…')).toBeFocused();
  await target.end();
  await api.delete(`/v1/webhooks/${id}`);
  await forget(token);
});
