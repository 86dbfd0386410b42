// The keyboard: one table, from which keys are run and the help is made.
'use strict';

const PAGE = 12; // rows of the table

const SHORTCUTS = [
  {keys: ['1'], what: 'flame graph', run: (app) => app.setView('flame')},
  {keys: ['2'], what: 'timeline', run: (app) => app.setView('timeline')},
  {keys: ['3'], what: 'functions', run: (app) => app.setView('functions')},
  {keys: ['/'], what: 'search; Enter goes to the next match, Esc ends it', run: (app) => app.focusSearch()},
  {keys: ['ArrowUp', 'ArrowDown'], what: 'to the caller or callee; in the table, to the row above or below',
    run: (app, key) => app.move(key === 'ArrowUp' ? 'up' : 'down')},
  {keys: ['ArrowLeft', 'ArrowRight'], what: 'to the box beside', run: (app, key) => app.move(key === 'ArrowLeft' ? 'left' : 'right')},
  {keys: ['PageUp', 'PageDown'], what: 'a page of rows up or down', run: (app, key) => app.page(key === 'PageUp' ? -PAGE : PAGE)},
  {keys: ['Enter'], what: 'zoom to the chosen box', run: (app) => app.zoomToChosen()},
  {keys: ['+', '-'], what: 'zoom in and out; Ctrl and the wheel do, too', run: (app, key) => app.zoomBy(key === '+' ? 0.5 : 2)},
  {keys: ['a', 's'], what: 'to the left and right; so do dragging, and Shift and the wheel',
    run: (app, key) => app.panBy(key === 'a' ? -0.25 : 0.25)},
  {keys: ['0', 'Escape'], what: 'show everything', run: (app) => app.reset()},
  {keys: ['c'], what: 'callers and callees of the chosen function; a double click does, too', run: (app) => app.openChosen()},
  {keys: ['t', 'T'], what: 'next thread, and the one before', run: (app, key) => app.stepThread(key === 't' ? 1 : -1)},
  {keys: ['l', 'L'], what: 'to the next thread or task of the timeline, and the one before',
    run: (app, key) => app.stepLane(key === 'l' ? 1 : -1)},
  {keys: ['w'], what: 'next weight', run: (app) => app.stepWeight()},
  {keys: ['d'], what: 'dark or light', run: (app) => app.toggleTheme()},
  {keys: ['?'], what: 'these keys', run: (app) => app.showKeys()},
];

const KEY_NAMES = {ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc', '-': '−',
  PageUp: 'PgUp', PageDown: 'PgDn'};

function listenToKeys(app) {
  document.addEventListener('keydown', (event) => {
    const isTyping = event.target.matches('input, select') || document.querySelector('dialog[open]');
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter' && event.target.matches('button, summary')) return;
    const shortcut = SHORTCUTS.find(({keys}) => keys.includes(event.key));
    if (!shortcut) return;
    event.preventDefault();
    shortcut.run(app, event.key);
  });
}

/** Fills the table of the help. */
function describeKeys(table) {
  for (const {keys, what} of SHORTCUTS) {
    const row = table.insertRow();
    const cell = row.insertCell();
    keys.forEach((key) => {
      const name = document.createElement('kbd');
      name.textContent = KEY_NAMES[key] ?? key;
      cell.append(name);
    });
    row.insertCell().textContent = what;
  }
}
