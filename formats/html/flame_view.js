// Draws rows of boxes on a canvas, and turns pointer and keys into zooming, panning and choosing. Only what is in sight
// is drawn, so that neither the depth of stacks nor their number matters.
'use strict';

const ROW = 19; // pixels
const AXIS = 22;
const FONT_SIZE = 11;
const PADDING = 4; // of text in a box
const MIN_TEXT = 24; // pixels of a box below which no text is tried
const ZOOM_MS = 140;
const DRAG = 4; // pixels that make a click a drag
const MAX_ZOOM = 1e7;

class FlameView {
  /**
   * isUpward: the first row is at the bottom. hasAxis: rows are time, and say so.
   * onPoint(box or null, event), onChoose(box or null), onOpen(box), onZoom(): a box is {row, index, node}.
   */
  constructor(element, {isUpward = false, hasAxis = false, onPoint, onChoose, onOpen, onZoom}) {
    this.element = element;
    this.isUpward = isUpward;
    this.top = hasAxis ? AXIS : 0;
    this.hasAxis = hasAxis;
    Object.assign(this, {onPoint, onChoose, onOpen, onZoom});
    this.canvas = document.createElement('canvas');
    this.sheet = document.createElement('div'); // as high as all rows: what the element scrolls
    this.sheet.append(this.canvas);
    element.append(this.sheet);
    this.context = this.canvas.getContext('2d');
    this.rows = [];
    this.length = 0;
    this.hovered = this.chosen = null;
    this.listen();
  }

  /** rows and length: of a layout. labelOf, fillOf: by node. isMatch: by node, or null where nothing is searched. */
  show({rows, length, labelOf, fillOf, isMatch}) {
    Object.assign(this, {rows, length, labelOf, fillOf, isMatch});
    this.hovered = this.chosen = null;
    this.resize();
    this.zoomTo(0, length, false);
    this.element.scrollTop = this.isUpward ? this.element.scrollHeight : 0;
  }

  setMatch(isMatch) {
    this.isMatch = isMatch;
    this.redraw();
  }

  // --- geometry ---

  get contentHeight() { return this.top + this.rows.length * ROW + PADDING; }
  get scale() { return this.width / (this.end - this.start); }
  /** Or on its way there. */
  get isZoomed() { return this.target !== undefined && this.target.end - this.target.start < this.length; }

  yOf(row) {
    return this.isUpward ? this.sheetHeight - (row + 1) * ROW : this.top + row * ROW;
  }

  rowAt(y) {
    const along = this.isUpward ? this.sheetHeight - y : y - this.top;
    return Math.floor(along / ROW);
  }

  resize() {
    this.width = this.element.clientWidth;
    this.height = this.element.clientHeight;
    if (this.width === 0 || this.height === 0) return; // not in sight
    this.sheetHeight = Math.max(this.contentHeight, this.height);
    this.sheet.style.height = `${this.sheetHeight}px`;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.canvas.style.width = `${this.width}px`;
    this.canvas.style.height = `${this.height}px`;
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.redraw();
  }

  boxAt(x, y) {
    if (y < this.top && this.hasAxis) return null;
    const row = this.rowAt(y + this.element.scrollTop);
    const index = this.rows[row]?.at(this.start + x / this.scale) ?? -1;
    return index < 0 ? null : this.box(row, index);
  }

  box(row, index) {
    const {start, end, node} = this.rows[row];
    return {row, index, node: node[index], start: start[index], end: end[index]};
  }

  // --- drawing ---

  redraw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  setColours() {
    const names = ['text', 'muted', 'faint', 'panel', 'canvas', 'match', 'match-text', 'box-text', 'accent', 'dim', 'dim-text'];
    this.colours = Object.fromEntries(names.map((name) => [name, styleColour(`--${name}`)]));
    this.font = `${FONT_SIZE}px ${getComputedStyle(document.documentElement).getPropertyValue('--mono')}`;
    this.redraw();
  }

  draw() {
    if (!(this.width > 0 && this.length > 0)) {
      this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
      return;
    }
    if (!this.colours) this.setColours();
    const {context} = this;
    context.clearRect(0, 0, this.width, this.height);
    context.font = this.font;
    context.textBaseline = 'middle';
    this.letter ??= context.measureText('M').width;
    const scroll = this.element.scrollTop;
    const edges = [this.rowAt(scroll + this.top), this.rowAt(scroll + this.height)];
    const last = Math.min(this.rows.length - 1, Math.max(...edges));
    if (this.hasAxis) this.drawGrid();
    for (let row = Math.max(0, Math.min(...edges)); row <= last; row++) this.drawRow(this.rows[row], this.yOf(row) - scroll);
    if (this.hovered) this.outline(this.hovered, this.colours.text, 1);
    if (this.chosen) this.outline(this.chosen, this.colours.accent, 2);
    if (this.hasAxis) this.drawAxis();
  }

  drawRow(row, y) {
    if (row.title !== '') {
      this.context.fillStyle = this.colours.text;
      this.context.font = `600 ${this.font}`;
      this.context.fillText(row.title, PADDING, y + ROW / 2);
      this.context.font = this.font;
    }
    const {scale} = this;
    for (let box = row.firstEndingAfter(this.start); box < row.size && row.start[box] < this.end;) {
      const left = Math.max(0, (row.start[box] - this.start) * scale);
      const right = Math.min(this.width, (row.end[box] - this.start) * scale);
      if (right - left >= 1) {
        this.drawBox(row.node[box++], left, y, right - left);
        continue;
      }
      // All that share a pixel are drawn as one, the first.
      const pixel = Math.floor(left);
      this.context.fillStyle = this.fillFor(row.node[box]);
      this.context.fillRect(pixel, y, 1, ROW - 1);
      box = Math.max(box + 1, row.firstEndingAfter(this.start + (pixel + 1) / scale, box));
    }
  }

  fillFor(node) {
    if (!this.isMatch) return this.fillOf(node);
    return this.isMatch(node) ? this.colours.match : this.colours.dim;
  }

  drawBox(node, left, y, width) {
    const {context} = this;
    context.fillStyle = this.fillFor(node);
    context.fillRect(left, y, Math.max(width - 1, 1), ROW - 1);
    if (width < MIN_TEXT) return;
    const text = fitLabel(this.labelOf(node), Math.floor((width - 2 * PADDING) / this.letter));
    if (text === '') return;
    const plain = this.isMatch ? (this.isMatch(node) ? 'match-text' : 'dim-text') : 'box-text';
    context.fillStyle = this.colours[plain];
    context.fillText(text, left + PADDING, y + ROW / 2);
  }

  outline({row, start, end}, colour, width) {
    const left = Math.max((start - this.start) * this.scale, -width);
    const right = Math.min((end - this.start) * this.scale, this.width + width);
    if (right < 0 || left > this.width) return;
    this.context.strokeStyle = colour;
    this.context.lineWidth = width;
    const y = this.yOf(row) - this.element.scrollTop;
    this.context.strokeRect(left + width / 2, y + width / 2, Math.max(right - left - 1 - width, 1), ROW - 1 - width);
  }

  /** Round times within sight, about one for each 110 pixels. */
  * ticks() {
    const step = roundStep((this.end - this.start) * 110 / this.width);
    for (let at = Math.ceil(this.start / step) * step; at <= this.end; at += step) {
      yield {at, x: (at - this.start) * this.scale};
    }
  }

  drawGrid() {
    this.context.fillStyle = this.colours.faint;
    for (const {x} of this.ticks()) this.context.fillRect(Math.round(x), this.top, 1, this.height);
  }

  drawAxis() {
    this.context.fillStyle = this.colours.panel;
    this.context.fillRect(0, 0, this.width, AXIS);
    this.context.fillStyle = this.colours.muted;
    for (const {at, x} of this.ticks()) {
      this.context.fillRect(Math.round(x), AXIS - 5, 1, 5);
      this.context.fillText(formatMoment(at, this.end - this.start), x + PADDING, AXIS / 2);
    }
  }

  // --- moving ---

  /** Shows start to end, kept within what there is. */
  zoomTo(start, end, isGradual = true) {
    const width = Math.min(this.length, Math.max(end - start, this.length / MAX_ZOOM));
    const from = Math.max(0, Math.min(start, this.length - width));
    this.target = {start: from, end: from + width};
    this.onZoom();
    const isStill = !isGradual || matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (isStill) this.arrive();
    else this.glide();
  }

  arrive() {
    Object.assign(this, this.target);
    this.gliding = null;
    this.redraw();
  }

  glide() {
    const began = performance.now();
    const [fromStart, fromEnd] = [this.start, this.end];
    const step = (now) => {
      if (this.gliding !== step) return; // overtaken by another
      const left = (1 - Math.min(1, Math.max(0, (now - began) / ZOOM_MS))) ** 3;
      if (left === 0) {
        this.arrive();
        return;
      }
      this.start = this.target.start + (fromStart - this.target.start) * left;
      this.end = this.target.end + (fromEnd - this.target.end) * left;
      this.redraw();
      requestAnimationFrame(step);
    };
    this.gliding = step;
    requestAnimationFrame(step);
  }

  reset() {
    this.choose(null);
    this.zoomTo(0, this.length);
  }

  zoomBy(factor, anchor = (this.start + this.end) / 2) {
    this.zoomTo(anchor - (anchor - this.start) * factor, anchor + (this.end - anchor) * factor, false);
  }

  /** fraction: of what is in sight. */
  panBy(fraction) {
    const by = fraction * (this.end - this.start);
    this.zoomTo(this.start + by, this.end + by, false);
  }

  // --- choosing ---

  choose(box) {
    this.chosen = box;
    this.onChoose(box);
    this.redraw();
  }

  zoomToBox(box) {
    this.choose(box);
    if (box) this.zoomTo(box.start, box.end);
  }

  /** To the box beside, or to the caller or callee: 'left', 'right', 'up', 'down' as they are seen. */
  moveChoice(direction) {
    const next = this.chosen ? this.neighbour(this.chosen, direction) : this.firstInSight();
    if (!next) return;
    this.choose(next);
    this.bringIntoSight(next);
  }

  neighbour({row, index, start, end}, direction) {
    if (direction === 'left' || direction === 'right') {
      const beside = index + (direction === 'right' ? 1 : -1);
      return beside >= 0 && beside < this.rows[row].size ? this.box(row, beside) : null;
    }
    const isAway = (direction === 'down') !== this.isUpward; // from the first row
    const to = this.rows[row + (isAway ? 1 : -1)];
    if (!to) return null;
    const found = isAway ? to.firstEndingAfter(start) : to.at((start + end) / 2);
    if (found < 0 || found >= to.size || to.start[found] >= end) return null;
    return this.box(row + (isAway ? 1 : -1), found);
  }

  firstInSight() {
    for (let row = 0; row < this.rows.length; row++) {
      const found = this.rows[row].firstEndingAfter(this.start);
      if (found < this.rows[row].size && this.rows[row].start[found] < this.end) return this.box(row, found);
    }
    return null;
  }

  /** Scrolls so that the row is the first, as far as there are rows enough. */
  goTo(row) { this.element.scrollTop = row * ROW; }

  bringIntoSight({row, start, end}) {
    const width = this.end - this.start;
    if (end <= this.start || start >= this.end) {
      const from = (start + end - width) / 2;
      this.zoomTo(from, from + width);
    }
    const y = this.yOf(row);
    const {scrollTop} = this.element;
    if (y < scrollTop + this.top) this.element.scrollTop = y - this.top;
    else if (y + ROW > scrollTop + this.height) this.element.scrollTop = y + ROW - this.height;
  }

  // --- pointer ---

  listen() {
    const {element, canvas} = this;
    new ResizeObserver(() => this.resize()).observe(element);
    element.addEventListener('scroll', () => this.redraw());
    canvas.addEventListener('pointerdown', (event) => this.press(event));
    canvas.addEventListener('pointermove', (event) => this.move(event));
    canvas.addEventListener('pointerup', (event) => this.release(event));
    canvas.addEventListener('pointerleave', (event) => this.point(null, event));
    canvas.addEventListener('dblclick', (event) => {
      const box = this.boxAt(event.offsetX, event.offsetY);
      if (box) this.onOpen(box);
    });
    element.addEventListener('wheel', (event) => this.turn(event), {passive: false});
  }

  point(box, event) {
    this.hovered = box;
    this.onPoint(box, event);
    this.redraw();
  }

  press(event) {
    if (event.button !== 0) return;
    this.drag = {x: event.offsetX, y: event.offsetY, start: this.start, end: this.end,
      scroll: this.element.scrollTop, isMoved: false};
    this.canvas.setPointerCapture(event.pointerId);
  }

  move(event) {
    const {drag} = this;
    if (!drag) {
      this.point(this.boxAt(event.offsetX, event.offsetY), event);
      return;
    }
    const [x, y] = [event.offsetX - drag.x, event.offsetY - drag.y];
    drag.isMoved ||= Math.hypot(x, y) > DRAG;
    if (!drag.isMoved) return;
    this.point(null, event);
    this.element.scrollTop = drag.scroll - y;
    const by = -x * (drag.end - drag.start) / this.width;
    this.zoomTo(drag.start + by, drag.end + by, false);
  }

  release(event) {
    const {drag} = this;
    this.drag = null;
    if (drag && !drag.isMoved) this.zoomToBox(this.boxAt(event.offsetX, event.offsetY));
  }

  /** Ctrl or a pinch zooms at the pointer, Shift or sideways pans, anything else scrolls. */
  turn(event) {
    const isZoom = event.ctrlKey || event.metaKey;
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (isZoom) {
      const anchor = this.start + (event.clientX - this.element.getBoundingClientRect().left) / this.scale;
      this.zoomBy(Math.exp(event.deltaY * 0.01), anchor);
    } else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
      this.panBy(sideways / this.width);
    } else {
      return;
    }
    event.preventDefault();
  }
}

/** What of a name fits: all, or without outer modules and classes ("mod.f", "f"), or its beginning. */
function fitLabel(label, letters) {
  if (label.length <= letters) return label;
  const nameEnd = label.search(/[ :([]|$/);
  const lastDot = label.lastIndexOf('.', nameEnd - 1);
  for (let dot = label.indexOf('.'); dot >= 0 && dot <= lastDot; dot = label.indexOf('.', dot + 1)) {
    if (label.length - dot - 1 <= letters) return label.slice(dot + 1);
  }
  const name = label.slice(lastDot + 1);
  return letters < 3 ? '' : `${name.slice(0, letters - 1)}…`;
}

/** 1, 2 or 5 times a power of ten, not below `step`. */
function roundStep(step) {
  const decade = 10 ** Math.floor(Math.log10(step));
  return [1, 2, 5, 10].map((factor) => factor * decade).find((each) => each >= step) ?? 10 * decade;
}

/** A time on the axis, with the digits that tell ticks `width` apart from each other. */
function formatMoment(ns, width) {
  const [unit, size] = TIME_UNITS.find(([, each]) => width >= each) || TIME_UNITS.at(-1);
  const digits = Math.max(0, 1 - Math.floor(Math.log10(width / size)));
  return `${(ns / size).toFixed(digits)} ${unit}`;
}
