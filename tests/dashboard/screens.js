// Every screen, with something on it.
import { answers, receiver } from './receiver.js';
import { api, forget, linked, person } from './world.js';

/** Makes a linked device with people, groups, messages and an endpoint; `end` takes all of it away. */
export async function furnished(token) {
  const [anna, ben] = [await person('Anna Example', 'read'), await person('Ben Example', 'read')];
  await anna.knows(ben, 'Ben from work');
  await anna.group('Saturday football', [ben]);
  await linked(token, anna);
  await api.post('/v1/devices', { token: `${token}-new`, workspace: 'north' });
  await api.post(`/v1/devices/${token}-new/session/start`);
  const target = await receiver(answers(500, 'out of order'));
  const { id } = await api.post('/v1/webhooks', { url: target.url, device: token });
  await ben.writes(anna, 'hello');
  return {
    anna,
    ben,
    webhook: id,
    paths: [
      '/devices',
      `/devices/${token}`,
      `/devices/${token}-new`,
      `/devices/${token}/send`,
      `/devices/${token}/contacts`,
      `/devices/${token}/groups`,
      `/devices/${token}/chats`,
      '/webhooks',
      `/webhooks/${id}`,
      '/events',
      '/health',
      '/docs',
      '/docs?operation=send_message',
      '/phones',
      '/workspaces',
      '/api-keys',
      '/settings',
      '/devices/nobody-has-this-token',
    ],
    async end() {
      await target.end();
      await api.delete(`/v1/webhooks/${id}`);
      await forget(token, `${token}-new`);
    },
  };
}
