// Puts the parts together: what is shown, of which threads, by which weight; and the one place that changes it.
'use strict';

const ALL_THREADS = -1;
const byId = (id) => document.getElementById(id);

class App {
  constructor(recording) {
    this.recording = recording;
    this.view = 'flame';
    this.thread = ALL_THREADS;
    this.weight = recording.total(recording.firstWeight) > 0 ? recording.firstWeight : 'samples';
    this.matches = null; // by frame, of the search
    this.shown = {}; // by view: what it was drawn for, so that it is not drawn again
    const everything = this.treeOf(recording.threads, 'samples');
    this.isOutermost = outermostNodes(everything, recording.frames.length);
    this.palette = new Palette(recording, costsOfFrames(everything, this.isOutermost, recording.frames.length).self);
    this.makeViews();
    this.makeBars();
    this.setTheme(rememberedTheme());
    this.update();
    this.describe(null);
    listenToKeys(this);
  }

  // --- what is shown ---

  get threads() {
    return this.thread === ALL_THREADS ? this.recording.threads : [this.recording.threads[this.thread]];
  }

  treeOf(threads, weight) {
    return new CallTree(this.recording.nodeFrame, this.recording.nodeCaller, this.recording.selfWeights(threads, weight));
  }

  /** Works out what the choice of threads and weight changes, and draws the view in sight. */
  update() {
    const frameCount = this.recording.frames.length;
    this.tree = this.treeOf(this.threads, this.weight);
    this.costs = costsOfFrames(this.tree, this.isOutermost, frameCount);
    this.shown = {};
    this.updateBars();
    this.draw();
  }

  setView(view) {
    this.view = view;
    this.hideTooltip();
    this.updateBars();
    this.draw();
    this.describe(this.flameView?.chosen ?? null);
  }

  setThread(thread) {
    this.thread = thread;
    this.update();
  }

  setWeight(weight) {
    this.weight = weight;
    this.update();
  }

  draw() {
    if (this.shown[this.view]) return;
    this.shown[this.view] = true;
    if (this.view === 'flame') this.drawTree(this.flame, this.tree, this.rootLabel);
    else if (this.view === 'timeline') this.drawTimeline();
    else this.drawFunctions();
  }

  get rootLabel() {
    const name = this.thread === ALL_THREADS ? 'all threads' : this.recording.threads[this.thread].name;
    return `${name}: ${formatAmount(this.weight, this.tree.total[0])}`;
  }

  drawTree(view, tree, rootLabel) {
    view.tree = tree;
    view.show({
      ...layOutTree(tree),
      labelOf: (node) => (tree.frame[node] === NO_FRAME ? rootLabel : this.recording.frames[tree.frame[node]].name),
      fillOf: (node) => (tree.frame[node] === NO_FRAME ? this.palette.rootFill : this.palette.fills[tree.frame[node]]),
      isMatch: this.matchOf(tree),
    });
  }

  drawTimeline() {
    const {boxFrame, frames} = this.recording;
    const layout = layOutTimeline(this.recording, this.threads);
    this.timeline.tree = {frame: boxFrame};
    this.timeline.show({
      ...layout,
      labelOf: (node) => frames[boxFrame[node]].name,
      fillOf: (node) => this.palette.fills[boxFrame[node]],
      isMatch: this.matchOf(this.timeline.tree),
    });
    byId('lanes').replaceChildren(...layout.lanes.map((row) => new Option(layout.rows[row].title, String(row))));
    this.updateLanes();
  }

  matchOf(tree) {
    const {matches} = this;
    return matches ? (node) => tree.frame[node] !== NO_FRAME && matches[tree.frame[node]] === 1 : null;
  }

  drawFunctions() {
    this.table.show({recording: this.recording, weight: this.weight, costs: this.costs, whole: this.tree.total[0],
      matches: this.matches});
    if (this.table.chosenRow < 0 && this.table.order.length > 0) this.table.choose(this.table.order[0]);
    else this.drawNeighbours();
  }

  drawNeighbours() {
    const frame = this.table.chosen;
    if (frame === undefined) return;
    const label = this.recording.frames[frame].name;
    byId('chosen').textContent = label;
    this.drawTree(this.callers, callersOf(this.tree, this.isOutermost, frame), label);
    this.drawTree(this.callees, calleesOf(this.tree, this.isOutermost, frame), label);
    this.describe(null);
  }

  // --- views ---

  makeViews() {
    const make = (id, options) => {
      const view = new FlameView(byId(id), {
        ...options,
        onPoint: (box, event) => this.point(view, box, event),
        onChoose: (box) => this.describe(box, view),
        onOpen: (box) => this.open(view.tree.frame[box.node]),
        onZoom: () => this.updateReset(),
      });
      byId(id).addEventListener('focus', () => { this.lastFocused = view; });
      return view;
    };
    this.flame = make('flame', {});
    this.timeline = make('timeline', {hasAxis: true});
    this.callers = make('callers', {isUpward: true});
    this.callees = make('callees', {});
    this.table = new FunctionTable(byId('table'), {onChoose: () => this.drawNeighbours()});
  }

  get flamesInSight() { return this.view === 'functions' ? [this.callers, this.callees] : [this[this.view]]; }

  get flames() { return [this.flame, this.timeline, this.callers, this.callees]; }

  /** The one that keys are for; null where they are for the table. */
  get flameView() {
    if (this.view !== 'functions') return this[this.view];
    return this.lastFocused && this.lastFocused.element === document.activeElement ? this.lastFocused : null;
  }

  /** What a box is, in two or three lines. */
  factsOf(view, box) {
    const {tree} = view;
    const frame = tree.frame[box.node];
    if (frame === NO_FRAME) return {name: this.rootLabel, place: '', amounts: ''};
    const facts = {name: this.recording.frames[frame].name, place: this.recording.place(frame)};
    if (view === this.timeline) return {...facts, amounts: `${formatTime(box.end - box.start)}, from ${formatTime(box.start)}`};
    const total = tree.total[box.node];
    let amounts = `${formatAmount(this.weight, total)} (${formatShare(total, this.tree.total[0])})`;
    if (view !== this.callers) amounts += `, self ${formatAmount(this.weight, tree.self[box.node])}`;
    return {...facts, amounts};
  }

  point(view, box, event) {
    if (!box) {
      this.hideTooltip();
      return;
    }
    const facts = this.factsOf(view, box);
    const tooltip = byId('tooltip');
    tooltip.replaceChildren(element('b', facts.name), element('div', facts.place, 'place'), element('div', facts.amounts));
    tooltip.hidden = false;
    const {width, height} = tooltip.getBoundingClientRect();
    const beside = event.clientX + 16 + width > innerWidth ? event.clientX - 12 - width : event.clientX + 16;
    const below = event.clientY + 18 + height > innerHeight ? event.clientY - 10 - height : event.clientY + 18;
    tooltip.style.left = `${Math.max(4, beside)}px`;
    tooltip.style.top = `${Math.max(4, below)}px`;
  }

  hideTooltip() { byId('tooltip').hidden = true; }

  /** In the foot: the chosen box, and what can be done with it. */
  describe(box, view = this.flameView) {
    const details = byId('details');
    const frame = box && view ? view.tree.frame[box.node] : NO_FRAME;
    byId('neighbours').hidden = frame === NO_FRAME || this.view === 'functions';
    if (frame === NO_FRAME) {
      details.replaceChildren(element('span', 'Click to zoom, double click for callers and callees, ? for keys'));
    } else {
      const facts = this.factsOf(view, box);
      details.replaceChildren(element('b', facts.name), element('span', facts.place), element('span', facts.amounts));
    }
    this.updateReset();
  }

  /** Shows a function with its callers and callees. */
  open(frame) {
    if (frame === NO_FRAME) return;
    if (this.matches && !this.matches[frame]) this.search('');
    this.table.chosen = frame;
    this.setView('functions');
    this.table.choose(frame);
    this.table.bringIntoSight(this.table.chosenRow);
  }

  // --- bars ---

  makeBars() {
    const {recording} = this;
    byId('title').textContent = recording.title || 'No recording';
    byId('title').title = recording.title;
    document.title = `${recording.title || 'No recording'} – Gauge`;
    byId('facts').textContent = factsText(recording);
    makeLosses(byId('losses'), lossesOf(recording));
    byId('nothing').hidden = recording.total('samples') > 0;
    for (const tab of document.querySelectorAll('[role=tab]')) {
      tab.addEventListener('click', () => this.setView(tab.dataset.view));
    }
    this.makeWeights();
    this.makeThreads();
    byId('lanes').addEventListener('change', (event) => this.timeline.goTo(Number(event.target.value)));
    this.makeLegend();
    byId('search').addEventListener('input', (event) => this.search(event.target.value));
    byId('search').addEventListener('keydown', (event) => this.keyInSearch(event));
    byId('reset').addEventListener('click', () => this.reset());
    byId('neighbours').addEventListener('click', () => this.openChosen());
    byId('theme').addEventListener('click', () => this.toggleTheme());
    byId('help').addEventListener('click', () => this.showKeys());
    describeKeys(document.querySelector('#keys table'));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.setTheme(rememberedTheme()));
  }

  makeWeights() {
    for (const [weight, title] of Object.entries(WEIGHTS)) {
      const button = element('button', title);
      button.type = 'button';
      button.dataset.weight = weight;
      button.setAttribute('role', 'radio');
      button.addEventListener('click', () => this.setWeight(weight));
      byId('weights').append(button);
    }
  }

  makeThreads() {
    const select = byId('threads');
    const {threads} = this.recording;
    if (threads.length !== 1) select.add(new Option(`all ${threads.length} threads`, String(ALL_THREADS)));
    threads.forEach((thread, i) => select.add(new Option(thread.name, String(i))));
    if (threads.length === 1) this.thread = 0;
    select.addEventListener('change', () => this.setThread(Number(select.value)));
  }

  /** Where there is one lane only, there is nowhere to go. */
  updateLanes() {
    byId('lanes').parentElement.hidden = this.view !== 'timeline' || byId('lanes').length < 2;
  }

  makeLegend() {
    for (const name of this.palette.legend) {
      const button = element('button', name);
      button.type = 'button';
      button.title = `Search ${name}`;
      button.prepend(document.createElement('i'));
      button.addEventListener('click', () => this.search(`/^${name.replace(/[^\w]/g, '\\$&')}\\./`));
      const entry = document.createElement('li');
      entry.append(button);
      byId('legend').append(entry);
    }
  }

  updateBars() {
    for (const section of document.querySelectorAll('.view')) section.hidden = section.dataset.view !== this.view;
    for (const tab of document.querySelectorAll('[role=tab]')) {
      tab.ariaSelected = String(tab.dataset.view === this.view);
    }
    for (const button of byId('weights').children) {
      const {weight} = button.dataset;
      const isTimeline = this.view === 'timeline';
      const isKnown = this.recording.total(weight) > 0;
      button.ariaChecked = String(isTimeline ? weight === 'wall' : weight === this.weight);
      button.disabled = !isKnown || isTimeline;
      button.title = isTimeline ? 'A timeline is of wall time' : isKnown ? `${WEIGHTS[weight]} (w: next)` :
        `No ${WEIGHTS[weight]} in this recording`;
    }
    byId('threads').value = String(this.thread);
    this.updateLanes();
    this.updateMatches();
    this.updateReset();
  }

  updateReset() {
    byId('reset').disabled = !this.flamesInSight.some((view) => view.isZoomed);
  }

  // --- search ---

  search(query) {
    byId('search').value = query;
    this.matches = searchFrames(this.recording, query);
    for (const view of this.flames) if (view.tree) view.setMatch(this.matchOf(view.tree));
    delete this.shown.functions;
    if (this.view === 'functions') this.draw();
    this.updateMatches();
  }

  updateMatches() {
    byId('matches').textContent = !this.matches ? '' :
      `${formatCount(sum(this.matches))} found, ${formatShare(matchedWeight(this.tree, this.matches), this.tree.total[0])}`;
  }

  focusSearch() {
    byId('search').focus();
    byId('search').select();
  }

  keyInSearch(event) {
    if (event.key === 'Escape') {
      this.search('');
      this.focusView();
    } else if (event.key === 'Enter') {
      this.focusView();
      this.chooseNextMatch();
    }
  }

  /** The box after the chosen one, row by row, that the search has found. */
  chooseNextMatch() {
    const view = this.flameView;
    if (!view) {
      if (this.table.order.length > 0) this.table.choose(this.table.order[0]);
      return;
    }
    const isMatch = this.matchOf(view.tree);
    if (!isMatch) return;
    const {row: fromRow = 0, index: fromIndex = -1} = view.chosen ?? {};
    for (let i = 0; i <= view.rows.length; i++) { // the row begun with comes again at the end, for what is before
      const row = (fromRow + i) % view.rows.length;
      const found = view.rows[row].node.findIndex((node, index) => (i > 0 || index > fromIndex) && isMatch(node));
      if (found < 0) continue;
      view.choose(view.box(row, found));
      view.bringIntoSight(view.chosen);
      return;
    }
  }

  // --- what keys do ---

  focusView() {
    (this.view === 'functions' ? byId('table') : this[this.view].element).focus();
  }

  move(direction) {
    const view = this.flameView;
    if (view) view.moveChoice(direction);
    else if (direction === 'up' || direction === 'down') this.table.moveChoice(direction === 'up' ? -1 : 1);
  }

  page(rows) {
    const view = this.flameView;
    if (view) view.element.scrollBy({top: rows * ROW});
    else this.table.moveChoice(rows);
  }

  zoomToChosen() {
    const view = this.flameView;
    if (view?.chosen) view.zoomToBox(view.chosen);
  }

  zoomBy(factor) { this.flameView?.zoomBy(factor, centreOf(this.flameView.chosen)); }

  panBy(fraction) { this.flameView?.panBy(fraction); }

  reset() {
    if (this.matches && !this.flamesInSight.some((view) => view.isZoomed || view.chosen)) this.search('');
    for (const view of this.flamesInSight) view.reset();
  }

  openChosen() {
    const view = this.flameView;
    if (view?.chosen) this.open(view.tree.frame[view.chosen.node]);
  }

  stepThread(by) {
    const values = [...byId('threads').options].map((option) => Number(option.value));
    this.setThread(values[(values.indexOf(this.thread) + by + values.length) % values.length]);
  }

  /** Of the timeline: brings the thread or task into sight that comes next there. */
  stepLane(by) {
    const lanes = byId('lanes');
    if (this.view !== 'timeline' || lanes.length === 0) return;
    lanes.selectedIndex = (lanes.selectedIndex + by + lanes.length) % lanes.length;
    this.timeline.goTo(Number(lanes.value));
  }

  stepWeight() {
    const usable = Object.keys(WEIGHTS).filter((weight) => this.recording.total(weight) > 0);
    if (this.view === 'timeline' || usable.length === 0) return;
    this.setWeight(usable[(usable.indexOf(this.weight) + 1) % usable.length]);
  }

  showKeys() { byId('keys').showModal(); }

  // --- light and dark ---

  toggleTheme() {
    const theme = isDark() ? 'light' : 'dark';
    rememberTheme(theme);
    this.setTheme(theme);
  }

  /** 'light' or 'dark'; '' follows the system. */
  setTheme(theme) {
    document.documentElement.style.colorScheme = theme;
    this.palette.setDark(isDark());
    for (const view of this.flames) view.setColours();
    [...byId('legend').querySelectorAll('i')].forEach((swatch, i) => {
      swatch.style.background = this.palette.fillOfPackage(this.palette.legend[i]);
    });
  }
}

function centreOf(box) {
  return box ? (box.start + box.end) / 2 : undefined;
}

const app = new App(new Recording(JSON.parse(byId('recording').textContent)));
