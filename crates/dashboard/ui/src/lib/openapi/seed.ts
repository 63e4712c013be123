// The thirteen endpoints of `/api` in the order in which they are used, by the names that the description gives them.
// An endpoint that takes two methods is two operations under one number.
export const SEED: { number: number | null; key: string; operations: string[] }[] = [
  { number: 1, key: 'start', operations: ['seed_start_session'] },
  { number: 2, key: 'qrcode', operations: ['seed_pairing_qr_by_post', 'seed_pairing_qr'] },
  { number: null, key: 'pair', operations: ['seed_pair_by_phone'] },
  { number: 3, key: 'status', operations: ['seed_session_status', 'seed_session_status_by_post'] },
  { number: 4, key: 'send', operations: ['seed_send_message'] },
  { number: 5, key: 'contacts', operations: ['seed_list_contacts'] },
  { number: 6, key: 'groups', operations: ['seed_list_groups'] },
  { number: 7, key: 'logout', operations: ['seed_log_out'] },
  { number: 8, key: 'reconnect', operations: ['seed_reconnect_session'] },
  { number: 9, key: 'devices', operations: ['seed_list_devices'] },
  { number: 10, key: 'device', operations: ['seed_delete_device'] },
  { number: 11, key: 'webhook', operations: ['seed_set_webhook'] },
  { number: 12, key: 'workspace', operations: ['seed_assign_workspace'] },
  { number: 13, key: 'workspaces', operations: ['seed_list_workspaces'] },
];

const LINKED = {
  status: true,
  message: 'AUTHENTICATED',
  name: 'User Name',
  phone: '628123456789',
  pic: 'https://…',
  data: { id: '628123456789:7@s.whatsapp.net', lid: '98765432101234@lid', name: 'User Name' },
  state: 'connected',
  connected: true,
};
const QR = [{ status: true, qrcode: 'data:image/png;base64,…' }, LINKED];

/** Answers that say more than what a schema makes of them: more than one, or words that clients look for. */
export const SEED_ANSWERS: Record<string, unknown[]> = {
  seed_start_session: [{ status: true, message: 'Session started' }],
  seed_pairing_qr_by_post: QR,
  seed_pairing_qr: QR,
  seed_pair_by_phone: [{ status: true, code: 'ABCD-1234' }],
  seed_session_status: [LINKED],
  seed_session_status_by_post: [LINKED],
  seed_send_message: [
    { status: true, phone: '628123456789', message: 'Sent', data: { id: '3EB0C431C26A1916E07A', status: true } },
    { status: false, token: 'my-token', phone: '628123456789', message: 'Not registered on WhatsApp', code: 'not_on_whatsapp', data: [] },
  ],
  seed_log_out: [{ status: 'logged_out' }],
  seed_reconnect_session: [{ status: 'reconnected' }],
  seed_delete_device: [{ status: 'deleted' }],
  seed_set_webhook: [{ status: 'updated', url: 'https://your-webhook.com/endpoint' }],
  seed_assign_workspace: [{ status: true, token: 'my-token', workspace: 'Marketing' }],
  seed_list_workspaces: [{ data: ['Marketing'] }],
};
