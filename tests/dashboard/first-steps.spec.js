// The way of a newcomer in the sandbox, from the address that it prints to a webhook that was received: by mouse alone.
import { expect, test, unique } from './dashboard.js';
import { KEY } from './places.js';
import { forget, person } from './world.js';

test('five steps lead from the guide to a received webhook, with the mouse alone', async ({ page }) => {
  const [anna, ben] = [await person(unique('Anna')), await person(unique('Ben'))];
  const main = page.getByRole('navigation', { name: 'Main' }).first();
  const press = (name, within = page) => within.getByRole('button', { name, exact: true }).click();
  const phone = (who) => page.getByRole('article', { name: who.name });
  const show = (who) => press(who.name, page.getByRole('group', { name: 'Phones shown' }));

  // 1. Open the address that the sandbox prints.
  await page.goto(`/#key=${KEY}`);
  await expect(main).toBeVisible();
  expect(page.url()).not.toContain(KEY);

  // 2. Make a device.
  await press('New device');
  await press('Create', page.getByRole('dialog', { name: 'Create New Device Token' }));
  await expect(page.getByRole('img', { name: 'Code to scan with WhatsApp' })).toBeVisible();
  const token = /\/devices\/(shop-\d+)/.exec(page.url())[1];

  // 3. Scan its code with a phone.
  await page.getByRole('note').getByRole('link', { name: 'Phones' }).click();
  await show(anna);
  await phone(anna).getByLabel('Waiting device').selectOption(token);
  await press('Scan the code', phone(anna));
  await expect(page.getByRole('link', { name: token }).getByText('Connected')).toBeVisible({ timeout: 15_000 });

  // 4. Make an endpoint: the sandbox has a receiver.
  await main.getByRole('link', { name: 'Webhooks' }).click();
  await page.getByRole('button', { name: 'New endpoint' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'New endpoint' });
  await press("Use the sandbox's receiver", dialog);
  await expect(dialog.getByLabel('Address')).toHaveValue(/\/sandbox\/receiver$/);
  await press('New endpoint', dialog);
  await press('I have kept it', page.getByRole('dialog'));
  await expect(page).toHaveURL(/\/webhooks\/\w+/);
  const endpoint = page.url();

  // 5. Let somebody write.
  await page.getByRole('note').getByRole('link', { name: 'Phones' }).click();
  await show(ben);
  await press('Chats', phone(ben));
  await press(anna.name, phone(ben));
  await press('Is it open today?', phone(ben));
  await press('Send', phone(ben));
  const received = page.getByRole('list', { name: 'What the receiver got' });
  await expect(received.getByRole('listitem').filter({ hasText: 'message.received' }).first()).toContainText('Is it open today?');

  await page.goto(endpoint);
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await forget(token);
});
