// Against a gateway that runs already, such as the sandbox:
//   WAGATE_URL        where it is (http://127.0.0.1:8080)
//   WAGATE_API_KEY    a key that may do everything
//   CHROMIUM          the browser (/usr/bin/chromium)
import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: '.',
  workers: 1,
  timeout: 30_000,
  expect: { timeout: 5_000 },
  reporter: 'line',
  use: {
    baseURL: process.env.WAGATE_URL ?? 'http://127.0.0.1:8080',
    locale: 'en-US',
    viewport: { width: 1280, height: 860 },
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    },
  },
});
