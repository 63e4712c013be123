// Names of what is in the query cache: requests read them, the stream writes them.
export const keys = {
  devices: ['devices'] as const,
  device: (token: string) => ['device', token] as const,
  session: (token: string) => ['session', token] as const,
  workspaces: ['workspaces'] as const,
  message: (token: string, id: string) => ['message', token, id] as const,
  contacts: (token: string) => ['contacts', token] as const,
  groups: (token: string) => ['groups', token] as const,
  webhooks: ['webhooks'] as const,
  webhook: (id: string) => ['webhook', id] as const,
  deliveries: ['deliveries'] as const,
  delivery: (id: string) => ['delivery', id] as const,
  health: ['health'] as const,
  settings: ['settings'] as const,
  apiKeys: ['api-keys'] as const,
};
