// What devices are called, for those places that know them by their ids.
import { createQuery } from '@tanstack/svelte-query';

import { answer, api } from './api/client';
import { keys } from './api/keys';

/** As many as one answer has; those beyond it go by their ids. */
const KNOWN = 200;

/** Call it while a component is made. Returns the name of a device, or its token, by id; asks only when `wanted`. */
export function deviceNames(wanted: () => boolean): (id: string) => string | undefined {
  const devices = createQuery(() => ({
    queryKey: [...keys.devices, 'names'],
    queryFn: () => answer(api.GET('/v1/devices', { params: { query: { limit: KNOWN } } })),
    enabled: wanted(),
  }));
  return (id) => {
    const device = devices.data?.data.find((one) => one.id === id);
    return device && (device.name ?? device.token);
  };
}
