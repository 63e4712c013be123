import { createDevice, deleteDevice, expect, signIn, test, unique } from './dashboard.js';

test('a key is made, shown once, opens what it may, and is revoked', async ({ page, request, baseURL }) => {
  const name = unique('crm');
  await signIn(page);
  await page.getByRole('link', { name: 'API keys' }).click();
  await expect(page.getByRole('heading', { name: 'API keys', level: 1 })).toBeVisible();
  await page.getByRole('button', { name: 'New API key' }).first().click();
  const form = page.getByRole('dialog', { name: 'New API key' });
  const create = form.getByRole('button', { name: 'New API key' });
  await form.getByLabel('Name').fill(name);
  await expect(create).toBeDisabled();
  await form.getByRole('checkbox', { name: 'Read' }).check();
  await create.click();
  const shown = page.getByRole('dialog', { name: 'Your new API key' });
  const key = await shown.getByText(/^wg_/).textContent();
  await shown.getByRole('button', { name: 'I have kept it' }).click();
  await expect(page.getByText(key)).toHaveCount(0);
  const row = page.getByRole('listitem').filter({ hasText: name });
  await expect(row).toContainText(key.slice(0, 9));
  await expect(row).toContainText('Read · All devices');
  await expect(row).toContainText('Last used: never');

  const headers = { apikey: key };
  expect((await request.get(`${baseURL}/v1/devices`, { headers })).status()).toBe(200);
  const refused = await request.post(`${baseURL}/v1/devices`, { headers, data: { token: unique('no') } });
  expect([refused.status(), (await refused.json()).code]).toEqual([403, 'scope_missing']);
  await page.reload();
  await expect(row).not.toContainText('never');

  await row.getByRole('button', { name: `Revoke ${name}` }).click();
  await page.getByRole('dialog', { name: `Revoke ${name}` }).getByRole('button', { name: 'Revoke' }).click();
  await expect(row).toHaveCount(0);
  expect((await request.get(`${baseURL}/v1/devices`, { headers })).status()).toBe(401);
});

test('a key for one device says so, and everything cannot be narrowed', async ({ page, request, baseURL }) => {
  const [name, token] = [unique('till'), unique('shop')];
  await signIn(page);
  await createDevice(page, token);
  await page.goto('/api-keys');
  await page.getByRole('button', { name: 'New API key' }).first().click();
  const form = page.getByRole('dialog', { name: 'New API key' });
  await form.getByLabel('Name').fill(name);
  await form.getByRole('checkbox', { name: 'Everything' }).check();
  await expect(form.getByRole('radio')).toHaveCount(0);
  await form.getByRole('checkbox', { name: 'Everything' }).uncheck();
  await form.getByRole('checkbox', { name: 'Send' }).check();
  await form.getByRole('radio', { name: 'One device' }).check();
  await form.getByLabel('Token Name').fill('nobody-has-this');
  await form.getByRole('button', { name: 'New API key' }).click();
  await expect(form.getByRole('alert')).toHaveText('There is no such device; it may have been deleted.');
  await form.getByLabel('Token Name').fill(token);
  await form.getByRole('button', { name: 'New API key' }).click();
  const key = await page.getByRole('dialog', { name: 'Your new API key' }).getByText(/^wg_/).textContent();
  await page.keyboard.press('Escape');
  const row = page.getByRole('listitem').filter({ hasText: name });
  await expect(row).toContainText(`Send · Device ${token}`);
  const sent = await request.post(`${baseURL}/v1/devices/other/messages`, { headers: { apikey: key }, data: { to: '628111111111', text: 'x' } });
  expect((await sent.json()).code).toBe('scope_missing');
  await row.getByRole('button', { name: `Revoke ${name}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await expect(row).toHaveCount(0);
  await deleteDevice(page, token);
});
