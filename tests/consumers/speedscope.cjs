// Opens files in the real Speedscope app, in a headless Chromium, and prints what became of them.
//
//   NODE_PATH=<node_modules> node speedscope.cjs CHROMIUM SCREENSHOT_FOLDER|- FILE...
//
// Prints a JSON array, an object per file:
//   messages  what the page logged, and dialogs and exceptions
//   imported  whether the app said that it has
//   exported  what the app saves on Ctrl+S, as JSON: all that it has understood of the file; null where it does not
//   views     file names of screenshots: Time Order, Left Heavy, Sandwich
'use strict';

const path = require('node:path');
const {TIME_LIMIT_MS, openPage, printFromBrowser, run} = require('./chromium.cjs');
const {serve} = require('./server.cjs');

const APP = path.join(path.dirname(require.resolve('speedscope/package.json')), 'dist/release');
const VIEWS = {1: 'time-order', 2: 'left-heavy', 3: 'sandwich'}; // the app's keys for them

async function until(isTrue, what) {
  for (const deadline = Date.now() + TIME_LIMIT_MS; !isTrue();) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${TIME_LIMIT_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A page with the app in it. Adds what the page says to `messages`, and keeps what the app saves. */
async function openApp(browser, address, messages) {
  const page = await openPage(browser, messages);
  await page.evaluateOnNewDocument(() => {
    window.savedBlobs = [];
    const original = URL.createObjectURL;
    URL.createObjectURL = (blob) => {
      window.savedBlobs.push(blob);
      return original.call(URL, blob);
    };
    HTMLAnchorElement.prototype.click = () => {}; // nothing need reach a downloads folder
  });
  await page.goto(address);
  return page;
}

/** Presses Ctrl+S and returns what the app saves. */
async function save(page) {
  await page.keyboard.down('Control');
  await page.keyboard.press('s');
  await page.keyboard.up('Control');
  await page.waitForFunction(() => window.savedBlobs.length > 0, {timeout: TIME_LIMIT_MS});
  return JSON.parse(await page.evaluate(() => window.savedBlobs[0].text()));
}

async function takeScreenshots(page, folder, file) {
  const names = [];
  for (const [key, view] of Object.entries(VIEWS)) {
    await page.keyboard.press(key);
    await new Promise((resolve) => setTimeout(resolve, 300)); // the app fades its views in
    names.push(path.join(folder, `${path.basename(file)}.${view}.png`));
    await page.screenshot({path: names.at(-1)});
  }
  return names;
}

async function examine(browser, address, file, screenshots) {
  const messages = [];
  const page = await openApp(browser, address, messages);
  const input = await page.waitForSelector('input#file');
  await input.uploadFile(file);
  const isImported = () => messages.some((text) => text.startsWith('import:'));
  const isOver = () => isImported() || messages.some((text) => /Failed to load|exception:|dialog:/.test(text));
  await until(isOver, `import of ${file}`);
  const result = {messages, imported: isImported(), exported: null, views: []};
  if (result.imported) {
    await page.waitForFunction(() => document.querySelector('canvas') !== null, {timeout: TIME_LIMIT_MS});
    if (screenshots !== '-') result.views = await takeScreenshots(page, screenshots, file);
    result.exported = await save(page);
  }
  await page.close();
  return result;
}

async function main([chromium, screenshots, ...files]) {
  const server = await serve((name) => path.join(APP, name || 'index.html'));
  const address = `http://127.0.0.1:${server.address().port}/`;
  try {
    await printFromBrowser(chromium, async (browser) => {
      const results = [];
      for (const file of files) results.push(await examine(browser, address, file, screenshots));
      return results;
    });
  } finally {
    server.close();
  }
}

run(main);
