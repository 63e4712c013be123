// Against a gateway that runs already, over the simulator:
//   WAGATE_URL        where it is (http://127.0.0.1:8080)
//   WAGATE_API_KEY    a key that may do everything (the sandbox's)
//   WAGATE_SIM_URL    where the simulator is (http://127.0.0.1:8081)
//   WAGATE_PROGRAM    `wagate-sandbox`, for specs that need a gateway of their own: to kill it, or to set it up
//   CHROMIUM          the browser (/usr/bin/chromium)
import { defineConfig } from '@playwright/test';

import { GATEWAY } from './places.js';

export default defineConfig({
  testDir: '.',
  // One story at a time: faults of the simulator strike everyone.
  workers: 1,
  timeout: 60_000,
  globalTimeout: 14 * 60_000,
  forbidOnly: Boolean(process.env.CI),
  expect: { timeout: 10_000 },
  reporter: 'line',
  use: {
    baseURL: GATEWAY,
    locale: 'en-US',
    viewport: { width: 1280, height: 860 },
    actionTimeout: 10_000,
    navigationTimeout: 15_000,
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    },
  },
});
