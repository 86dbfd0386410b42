// Opens our own page in a headless Chromium and uses it as somebody would.
//
//   NODE_PATH=<node_modules> node page.cjs CHROMIUM FILE < STEPS
//
// STEPS is a JSON array; a step is an object with one member:
//   press       a key, as in "ArrowDown"         type    text, into what has the focus
//   click       the element of a CSS selector    choose  [selector, value] of a <select>
//   at          [x, y, n]: n clicks there; 0 only points
//   wheel       [deltaX, deltaY], where the pointer is; with Ctrl where a third member is true
//   dark        whether the system asks for dark pages
//   ask         an expression in the page: its value becomes an answer
//   screenshot  the file to write it to
// Prints an object:
//   messages  what the page logged, and exceptions
//   requests  addresses that it asked for, but its own
//   answers   of the steps that ask
'use strict';

const {pathToFileURL} = require('node:url');
const fs = require('node:fs');
const {openPage, printFromBrowser, run} = require('./chromium.cjs');

/** What was asked for has been drawn, and no zoom is on its way any more. */
const settle = (page) => page.evaluate(() => new Promise((resolve) => {
  const look = () => (app.flames.some((view) => view.gliding) ? requestAnimationFrame(look) : requestAnimationFrame(resolve));
  requestAnimationFrame(() => requestAnimationFrame(look));
}));

const STEPS = {
  press: (page, key) => page.keyboard.press(key),
  type: (page, text) => page.keyboard.type(text),
  click: (page, selector) => page.click(selector),
  choose: (page, [selector, value]) => page.select(selector, value),
  at: async (page, [x, y, count]) => {
    await page.mouse.move(x, y);
    if (count > 0) await page.mouse.click(x, y, {count});
  },
  wheel: async (page, [deltaX, deltaY, withControl]) => {
    if (withControl) await page.keyboard.down('Control');
    await page.mouse.wheel({deltaX, deltaY});
    if (withControl) await page.keyboard.up('Control');
  },
  dark: (page, isDark) => page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: isDark ? 'dark' : 'light'}]),
  ask: (page, expression) => page.evaluate(expression),
  screenshot: (page, path) => page.screenshot({path}),
};

async function use(browser, file, steps) {
  const address = pathToFileURL(file).href;
  const messages = [];
  const requests = [];
  const answers = [];
  const page = await openPage(browser, messages);
  page.on('request', (request) => { if (request.url() !== address) requests.push(request.url()); });
  await page.goto(address);
  for (const step of steps) {
    const [[name, argument]] = Object.entries(step);
    const answer = await STEPS[name](page, argument);
    if (name === 'ask') answers.push(answer);
    else if (name !== 'screenshot') await settle(page);
  }
  return {messages, requests, answers};
}

async function main([chromium, file]) {
  const steps = JSON.parse(fs.readFileSync(0, 'utf8'));
  await printFromBrowser(chromium, (browser) => use(browser, file, steps));
}

run(main);
