import { createDevice, deleteDevice, expect, signIn, test, unique } from './dashboard.js';

test('a workspace is made of devices, renamed, and deleted by typing its name', async ({ page }) => {
  const [token, name, next] = [unique('shop'), unique('North / 50%'), unique('South + 100%')];
  await signIn(page);
  await createDevice(page, token);
  await page.goto('/workspaces');
  await page.getByRole('button', { name: 'New workspace' }).first().click();
  const form = page.getByRole('dialog', { name: 'New workspace' });
  await form.getByLabel('Name', { exact: true }).fill(name);
  await expect(form.getByRole('button', { name: 'Create' })).toBeDisabled();
  await form.getByRole('searchbox').fill(token);
  await form.getByLabel(token).check();
  await form.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByRole('listitem').filter({ hasText: name })).toContainText('1 device');

  await page.getByRole('button', { name: `Actions for ${name}` }).click();
  await page.getByRole('menuitem', { name: 'Rename' }).click();
  const dialog = page.getByRole('dialog', { name: `Rename ${name}` });
  await dialog.getByLabel('Name').fill(next);
  await dialog.getByRole('button', { name: 'Save' }).click();
  const row = page.getByRole('listitem').filter({ hasText: next });
  await row.getByRole('link').click();
  await expect(page).toHaveURL(/workspace=/);
  await expect(page.getByText('1 device', { exact: true })).toBeVisible();

  await page.goto('/workspaces');
  await page.getByRole('button', { name: `Actions for ${next}` }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  const confirm = page.getByRole('dialog', { name: `Delete ${next}` });
  await confirm.getByLabel(`Type ${next} to confirm`).fill(next);
  await confirm.getByRole('button', { name: 'Delete' }).click();
  await expect(row).toHaveCount(0);
  await deleteDevice(page, token);
});
