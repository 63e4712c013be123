// What all requests on the page have in common. The key is kept nowhere else.
export const tried = $state({ device: '', key: '' });

/** Stands for a device while there is none. */
export const NO_DEVICE = 'my-token';
