// The table of functions. Only the rows in sight are in the document: there may be tens of thousands.
'use strict';

const TABLE_ROW = 26; // pixels, as in the style sheet
const COLUMNS = [
  {key: 'self', title: 'Self', hint: 'in the function itself'},
  {key: 'total', title: 'Total', hint: 'with all that it called; recursion counts once'},
  {key: 'name', title: 'Function', hint: 'and where it is defined'},
];

class FunctionTable {
  /** onChoose(frame): a row was chosen. onOpen(frame): and is to be looked at. */
  constructor(element, {onChoose}) {
    this.element = element;
    this.onChoose = onChoose;
    this.sort = {key: 'self', isDown: true};
    this.head = document.createElement('div');
    this.head.className = 'row head';
    this.head.setAttribute('role', 'row');
    this.sheet = document.createElement('div');
    this.sheet.className = 'sheet';
    element.append(this.head, this.sheet);
    this.order = [];
    this.makeHead();
    element.addEventListener('scroll', () => this.render());
    new ResizeObserver(() => this.render()).observe(element);
    this.sheet.addEventListener('click', (event) => {
      const row = event.target.closest('.row');
      if (row) this.choose(Number(row.dataset.frame));
    });
  }

  makeHead() {
    for (const {key, title, hint} of COLUMNS) {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = key;
      button.textContent = title;
      button.title = hint;
      button.setAttribute('role', 'columnheader');
      button.addEventListener('click', () => this.sortBy(key));
      this.head.append(button);
    }
  }

  sortBy(key) {
    this.sort = {key, isDown: this.sort.key === key ? !this.sort.isDown : key !== 'name'};
    this.arrange();
  }

  /** costs: {self, total} by frame, of `whole` in all; matches: by frame, or null for every one. */
  show({recording, weight, costs, whole, matches}) {
    Object.assign(this, {recording, weight, costs, whole, matches});
    this.arrange();
  }

  arrange() {
    const {key, isDown} = this.sort;
    const {self, total} = this.costs;
    const {frames} = this.recording;
    const first = key === 'name' ?
      (a, b) => (frames[a].name < frames[b].name ? -1 : frames[a].name > frames[b].name ? 1 : 0) :
      (a, b) => this.costs[key][a] - this.costs[key][b];
    const compare = (a, b) => (isDown ? first(b, a) : first(a, b)) || total[b] - total[a] || self[b] - self[a] || a - b;
    this.order = [...frames.keys()].filter((frame) => total[frame] > 0 && (!this.matches || this.matches[frame]));
    this.order.sort(compare);
    for (const [i, {key: each}] of COLUMNS.entries()) {
      this.head.children[i].ariaSort = each === key ? (isDown ? 'descending' : 'ascending') : 'none';
    }
    this.element.setAttribute('aria-rowcount', String(this.order.length));
    this.render();
  }

  get chosenRow() { return this.order.indexOf(this.chosen); }

  choose(frame) {
    this.chosen = frame;
    this.render();
    this.onChoose(frame);
  }

  /** To the row `by` further down. */
  moveChoice(by) {
    if (this.order.length === 0) return;
    const row = Math.max(0, Math.min(this.order.length - 1, this.chosenRow + by));
    this.choose(this.order[row]);
    this.bringIntoSight(row);
  }

  bringIntoSight(row) {
    if (row < 0) return;
    const above = row * TABLE_ROW;
    const room = this.element.clientHeight - TABLE_ROW; // below the head
    if (above < this.element.scrollTop) this.element.scrollTop = above;
    else if (above + TABLE_ROW > this.element.scrollTop + room) this.element.scrollTop = above + TABLE_ROW - room;
  }

  render() {
    if (!this.costs || this.element.clientHeight === 0) return;
    this.sheet.style.height = `${this.order.length * TABLE_ROW}px`;
    const first = Math.max(0, Math.floor(this.element.scrollTop / TABLE_ROW) - 4);
    const count = Math.ceil(this.element.clientHeight / TABLE_ROW) + 8;
    const rows = this.order.slice(first, first + count).map((frame, i) => this.makeRow(frame, first + i));
    this.sheet.replaceChildren(...rows);
  }

  makeRow(frame, index) {
    const row = document.createElement('div');
    row.className = 'row';
    row.style.top = `${index * TABLE_ROW}px`;
    row.dataset.frame = String(frame);
    row.setAttribute('role', 'row');
    row.setAttribute('aria-rowindex', String(index + 1));
    row.ariaSelected = String(frame === this.chosen);
    row.append(this.costCell('self', frame), this.costCell('total', frame), this.nameCell(frame));
    return row;
  }

  costCell(key, frame) {
    const cell = document.createElement('div');
    const amount = this.costs[key][frame];
    cell.className = key;
    cell.setAttribute('role', 'gridcell');
    cell.title = formatExactly(this.weight, amount);
    cell.style.setProperty('--share', String(this.whole > 0 ? amount / this.whole : 0));
    const share = document.createElement('span');
    share.textContent = formatShare(amount, this.whole);
    const text = document.createElement('b');
    text.textContent = this.weight === 'samples' ? formatCount(amount) : formatTime(amount);
    cell.append(text, share);
    return cell;
  }

  nameCell(frame) {
    const cell = document.createElement('div');
    cell.className = 'name';
    cell.setAttribute('role', 'gridcell');
    const place = document.createElement('span');
    place.textContent = this.recording.place(frame);
    cell.append(this.recording.frames[frame].name, place);
    cell.title = `${this.recording.frames[frame].name}\n${place.textContent}`;
    return cell;
  }
}
