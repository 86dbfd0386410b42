// Starts a headless Chromium for the tests, with a profile of its own that is removed afterwards.
'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const puppeteer = require('puppeteer-core');

const TIME_LIMIT_MS = 120_000;

function launch(chromium, profileFolder) {
  return puppeteer.launch({
    executablePath: chromium,
    userDataDir: profileFolder,
    headless: true,
    protocolTimeout: TIME_LIMIT_MS,
    args: [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
    ],
  });
}

/** Prints what `use(browser)` comes to, as JSON. */
async function printFromBrowser(chromium, use) {
  const profileFolder = fs.mkdtempSync(path.join(os.tmpdir(), 'gauge-chromium-'));
  const browser = await launch(chromium, profileFolder);
  try {
    const result = JSON.stringify(await use(browser));
    await new Promise((resolve) => process.stdout.write(result, resolve));
  } finally {
    await browser.close();
    fs.rmSync(profileFolder, {recursive: true, force: true});
  }
}

/** A page whose log, dialogs and exceptions go to `messages`. */
async function openPage(browser, messages) {
  const page = await browser.newPage();
  await page.setViewport({width: 1400, height: 900});
  page.on('console', (message) => messages.push(message.text()));
  page.on('pageerror', (error) => messages.push(`exception: ${error.message}`));
  page.on('dialog', (dialog) => {
    messages.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  return page;
}

/** The main() of a driver. */
function run(main) {
  main(process.argv.slice(2)).catch((error) => {
    console.error(error);
    process.exit(1);
  });
}

module.exports = {TIME_LIMIT_MS, openPage, printFromBrowser, run};
