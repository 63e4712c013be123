// Long work: how far it has come shows, also after a reload, and it can be stopped.
import { readFile } from 'node:fs/promises';

import { expect, signIn, test, unique } from './dashboard.js';
import { answers, receiver } from './receiver.js';
import { api, forget, linked, person } from './world.js';

/** Long enough to look at a job between two questions to WhatsApp. */
const SLOW = { kind: 'delay', delay_ms: 1_500, direction: 'to_client' };
const DONE_MS = 30_000;

const nobody = (count) => Array.from({ length: count }, (_, index) => `+62899${String(index).padStart(8, '0')}`);
const panel = (page) => page.getByRole('region', { name: 'Check numbers' });
const progress = (page) => panel(page).getByRole('progressbar', { name: 'Check numbers' });
const reached = (bar) => async () => Number(await bar.getAttribute('aria-valuenow'));

test('many numbers are checked, which survives a reload, and what was found can be filtered and saved', async ({ page }) => {
  const [token, anna, ben] = [unique('check'), await person('Anna'), await person('Ben')];
  await linked(token, anna);
  const settle = await anna.fault(SLOW);
  await signIn(page, `/devices/${token}/contacts`);
  await panel(page).getByRole('button', { name: 'Check numbers' }).click();
  const dialog = page.getByRole('dialog', { name: 'Check numbers' });
  const start = dialog.getByRole('button', { name: 'Start' });
  await expect(start).toBeDisabled();
  // As a table with a head, and as people of the account's country write it.
  const national = `0${ben.phone.slice(2)}`;
  const table = ['phone,name', `${national},Ben`, 'hello,Nobody', ...nobody(119).map((number) => `${number},x`)];
  await dialog.getByLabel('Choose a file').setInputFiles({
    name: 'numbers.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(table.join('\r\n')),
  });
  await expect(dialog.getByText('121 numbers')).toBeVisible();
  await start.click();
  await expect(progress(page)).toHaveAttribute('aria-valuemax', '121');
  await expect(page).toHaveURL(/check=job_/);
  await expect(panel(page).getByText('Running', { exact: true })).toBeVisible();
  await expect.poll(reached(progress(page)), { timeout: DONE_MS }).toBeGreaterThan(1);
  await page.reload();
  await expect(progress(page)).toHaveAttribute('aria-valuemax', '121');
  expect(await reached(progress(page))()).toBeGreaterThan(1);
  await expect(panel(page).getByText('121 of 121')).toBeVisible({ timeout: DONE_MS });
  await expect(panel(page).getByText('Done', { exact: true })).toBeVisible();
  await settle();

  const results = page.getByRole('region', { name: 'Results' });
  const lines = results.getByRole('listitem');
  await results.getByLabel('Show').selectOption('On WhatsApp (1)');
  await expect(lines).toHaveCount(1);
  await expect(lines).toContainText(national);
  await expect(lines).toContainText(`${ben.phone}@s.whatsapp.net`);
  await results.getByLabel('Show').selectOption('Unreadable (1)');
  await expect(lines).toContainText('hello');
  await results.getByLabel('Show').selectOption('All (121)');
  const saved = page.waitForEvent('download');
  await results.getByRole('button', { name: 'CSV' }).click();
  const rows = (await readFile(await (await saved).path(), 'utf8')).trim().split('\r\n');
  expect(rows).toHaveLength(122);
  expect(rows[1]).toBe(`${national},+${ben.phone},${ben.phone}@s.whatsapp.net,yes,`);
  await forget(token);
});

test('a check is cancelled and keeps what it has', async ({ page }) => {
  const [token, anna] = [unique('cancel'), await person('Anna')];
  await linked(token, anna);
  const settle = await anna.fault(SLOW);
  const { id } = await api.post(`/v1/devices/${token}/number-checks`, { numbers: nobody(500) });
  // Without its name in the address: a check that runs is found.
  await signIn(page, `/devices/${token}/contacts`);
  await expect(page).toHaveURL(new RegExp(`check=${id}`));
  await expect.poll(reached(progress(page)), { timeout: DONE_MS }).toBeGreaterThan(0);
  await panel(page).getByRole('button', { name: 'Cancel' }).click();
  await expect(panel(page).getByText('Cancelled', { exact: true })).toBeVisible();
  const done = await reached(progress(page))();
  expect(done).toBeLessThan(500);
  const show = page.getByRole('region', { name: 'Results' }).getByLabel('Show');
  await expect(show.getByRole('option', { name: `Not on WhatsApp (${done})` })).toBeAttached();
  await expect(show.getByRole('option', { name: `Not checked (${500 - done})` })).toBeAttached();
  await settle();
  await panel(page).getByRole('button', { name: 'Put this check away' }).click();
  await expect(progress(page)).toHaveCount(0);
  await expect(page).not.toHaveURL(/check=/);
  await forget(token);
});

test('a replay that waits shows after a reload, and cancelled it loses nothing', async ({ page }) => {
  const [token, anna, ben] = [unique('wait'), await person('Anna'), await person('Ben')];
  await linked(token, anna);
  const target = await receiver(answers(410, 'gone'));
  const { id } = await api.post('/v1/webhooks', { url: target.url, device: token, events: ['message.received'] });
  await ben.writes(anna, 'lost');
  await signIn(page, `/webhooks/${id}`);
  await expect(page.getByText(/^Switched off at/)).toBeVisible({ timeout: 20_000 });
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByText('Paused', { exact: true })).toBeVisible();
  const replay = async () => {
    await page.getByRole('button', { name: 'Replay since…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Replay deliveries' });
    await dialog.getByRole('button', { name: 'Replay', exact: true }).click();
    await expect(dialog.getByText(/^\d of 1$/)).toBeVisible();
    await dialog.getByRole('button', { name: 'Close' }).last().click();
    await expect(dialog).toHaveCount(0);
  };
  await replay();
  await page.reload();
  const job = page.getByRole('region', { name: 'Replay' });
  await expect(job.getByRole('progressbar', { name: 'Replay' })).toHaveAttribute('aria-valuenow', '0');
  await expect(job.getByText('0 of 1')).toBeVisible();
  await job.getByRole('button', { name: 'Cancel' }).click();
  await expect(job.getByText('Cancelled', { exact: true })).toBeVisible();
  const deliveries = page.getByRole('region', { name: 'Deliveries' }).getByRole('listitem');
  await expect(deliveries).toContainText('Given up');

  target.act = answers(200);
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(page.getByText('Active', { exact: true })).toBeVisible();
  await replay();
  await expect(job.getByText('1 of 1')).toBeVisible({ timeout: 20_000 });
  await expect(job.getByText('Done', { exact: true })).toBeVisible();
  await expect(deliveries).toContainText('Delivered');
  await target.end();
  await api.delete(`/v1/webhooks/${id}`);
  await forget(token);
});
