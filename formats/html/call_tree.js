// Trees of calls with their weights. Stacks may be thousands of frames deep, so nothing in here recurses.
'use strict';

/** Node 0 is the root; callers stand before what they call. */
class CallTree {
  /** frame, caller, self: by node. */
  constructor(frame, caller, self) {
    this.frame = frame;
    this.caller = caller;
    this.self = self;
    this.total = Float64Array.from(self);
    for (let node = this.total.length - 1; node > 0; node--) this.total[caller[node]] += this.total[node];
  }

  get size() { return this.frame.length; }

  /** What a node calls: list[first[node]] to list[first[node + 1]], heaviest first. */
  get callees() {
    this.sortedCallees ??= this.sortCallees();
    return this.sortedCallees;
  }

  sortCallees() {
    const first = new Int32Array(this.size + 1);
    for (let node = 1; node < this.size; node++) first[this.caller[node] + 1]++;
    for (let node = 0; node < this.size; node++) first[node + 1] += first[node];
    const list = new Int32Array(Math.max(0, this.size - 1));
    const next = first.slice();
    for (let node = 1; node < this.size; node++) list[next[this.caller[node]]++] = node;
    for (let node = 0; node < this.size; node++) {
      if (first[node + 1] - first[node] < 2) continue;
      list.subarray(first[node], first[node + 1]).sort((a, b) => this.total[b] - this.total[a] || a - b);
    }
    return {first, list};
  }
}

/** By node: 1 where no caller is of the same frame. Costs of these alone are a function's, however it recurs. */
function outermostNodes(tree, frameCount) {
  const {first, list} = tree.callees;
  const isOutermost = new Uint8Array(tree.size);
  const open = new Int32Array(frameCount);
  const stack = [0];
  while (stack.length > 0) {
    const node = stack.pop();
    if (node < 0) { // leaving ~node
      open[tree.frame[~node]]--;
      continue;
    }
    if (node !== 0) {
      isOutermost[node] = open[tree.frame[node]]++ === 0 ? 1 : 0;
      stack.push(~node);
    }
    for (let i = first[node]; i < first[node + 1]; i++) stack.push(list[i]);
  }
  return isOutermost;
}

/** By frame: own weight, and with all that it called. */
function costsOfFrames(tree, isOutermost, frameCount) {
  const self = new Float64Array(frameCount);
  const total = new Float64Array(frameCount);
  for (let node = 1; node < tree.size; node++) {
    self[tree.frame[node]] += tree.self[node];
    if (isOutermost[node]) total[tree.frame[node]] += tree.total[node];
  }
  return {self, total};
}

/** Grows a tree; a callee of one frame is there once below each node. */
class TreeBuilder {
  constructor(rootFrame) {
    this.frame = [rootFrame];
    this.caller = [0];
    this.self = [0];
    this.known = [new Map()];
  }

  callee(caller, frame) {
    const known = this.known[caller];
    let node = known.get(frame);
    if (node === undefined) {
      node = this.frame.push(frame) - 1;
      this.caller.push(caller);
      this.self.push(0);
      this.known.push(new Map());
      known.set(frame, node);
    }
    return node;
  }

  finish() {
    return new CallTree(Int32Array.from(this.frame), Int32Array.from(this.caller), Float64Array.from(this.self));
  }
}

/** What a function called, from its outermost calls on. The root is the function. */
function calleesOf(tree, isOutermost, frame) {
  const builder = new TreeBuilder(frame);
  const place = new Int32Array(tree.size).fill(-1); // by node: where it went
  for (let node = 1; node < tree.size; node++) {
    const above = place[tree.caller[node]];
    if (above >= 0) place[node] = builder.callee(above, tree.frame[node]);
    else if (isOutermost[node] && tree.frame[node] === frame) place[node] = 0;
    if (place[node] >= 0) builder.self[place[node]] += tree.self[node];
  }
  return builder.finish();
}

/** What called a function, nearest first: the root is the function, and what a node "calls" is its callers. */
function callersOf(tree, isOutermost, frame) {
  const builder = new TreeBuilder(frame);
  for (let node = 1; node < tree.size; node++) {
    if (!isOutermost[node] || tree.frame[node] !== frame || tree.total[node] === 0) continue;
    let place = 0;
    for (let above = tree.caller[node]; above !== 0; above = tree.caller[above]) {
      place = builder.callee(place, tree.frame[above]);
    }
    builder.self[place] += tree.total[node];
  }
  return builder.finish();
}
