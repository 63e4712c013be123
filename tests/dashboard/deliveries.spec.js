// What is delivered to endpoints shows by itself: nobody asks for it again and again.
import { createServer } from 'node:http';

import { expect, signIn, test, unique } from './dashboard.js';
import { KEY } from './places.js';

const headers = { apikey: KEY };

/** A receiver that answers what it is told to. */
async function receiver() {
  const found = { status: 500 };
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      response.statusCode = found.status;
      response.end('said so');
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return Object.assign(found, { url: `http://127.0.0.1:${server.address().port}/hook`, stop: () => server.close() });
}

test('a delivery that fails shows its next attempt, and turns green when it arrives', async ({ page, request }) => {
  const [token, hook] = [unique('deliver'), await receiver()];
  try {
    await request.post('/v1/devices', { headers, data: { token } });
    const made = await request.post('/v1/webhooks', { headers, data: { url: hook.url, device: token, events: ['session.qr'] } });
    const { id } = await made.json();
    await signIn(page, `/webhooks/${id}`);
    await expect(page.getByText('No deliveries')).toBeVisible();
    // Something happens, and nobody touches the page.
    await request.post(`/v1/devices/${token}/session/start`, { headers });
    const row = page.getByRole('button', { name: /session\.qr/ }).last();
    await expect(row).toContainText('Pending', { timeout: 15_000 });
    await expect(row).toContainText('next attempt');
    await expect(row).toContainText('status 500');
    await row.click();
    const dialog = page.getByRole('dialog');
    await expect(dialog.getByText('said so').first()).toBeVisible();
    hook.status = 200;
    await dialog.getByRole('button', { name: 'Resend' }).click();
    await expect(dialog.getByText('Delivered').first()).toBeVisible({ timeout: 15_000 });
    await page.keyboard.press('Escape');
    await expect(row).toContainText('Delivered');
  } finally {
    hook.stop();
    await request.delete(`/v1/devices/${token}`, { headers });
  }
});
