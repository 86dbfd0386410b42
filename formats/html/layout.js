// Where boxes go: rows of them, each row from left to right, in the unit of what is shown.
'use strict';

/** A row: box i spans start[i] to end[i] and stands for node[i]. */
class Row {
  constructor(title = '') {
    this.title = title; // of a row without boxes, above the lane that it names
    this.start = [];
    this.end = [];
    this.node = [];
  }

  get size() { return this.node.length; }

  add(start, end, node) {
    this.start.push(start);
    this.end.push(end);
    this.node.push(node);
  }

  /** The first box that ends after `position`; size if none does. */
  firstEndingAfter(position, from = 0) {
    let low = from;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.end[middle] > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The box at `position`, or -1. */
  at(position) {
    const box = this.firstEndingAfter(position);
    return box < this.size && this.start[box] <= position ? box : -1;
  }
}

function rowAt(rows, index) {
  while (rows.length <= index) rows.push(new Row());
  return rows[index];
}

/** A tree of calls: callees below their caller, heaviest first, as wide as they weigh. */
function layOutTree(tree) {
  const {first, list} = tree.callees;
  const rows = [];
  const start = new Float64Array(tree.size);
  const depth = new Int32Array(tree.size);
  const stack = tree.total[0] > 0 ? [0] : [];
  while (stack.length > 0) { // callers first, and from left to right
    const node = stack.pop();
    rowAt(rows, depth[node]).add(start[node], start[node] + tree.total[node], node);
    let next = start[node];
    const below = [];
    for (let i = first[node]; i < first[node + 1] && tree.total[list[i]] > 0; i++) {
      start[list[i]] = next;
      depth[list[i]] = depth[node] + 1;
      next += tree.total[list[i]];
      below.push(list[i]);
    }
    while (below.length > 0) stack.push(below.pop());
  }
  return {rows, length: tree.total[0]};
}

/**
 * Threads one below the other, each as its stacks followed each other. A call seen in several runs is one box. Below a
 * thread stand its tasks, whose calls go on while they wait. `lanes` are the rows that name either.
 */
function layOutTimeline(recording, threads) {
  const depth = new Int32Array(recording.nodeFrame.length);
  for (let node = 1; node < depth.length; node++) depth[node] = depth[recording.nodeCaller[node]] + 1;
  const rows = [];
  const lanes = [];
  const addLane = (title, laneRows) => {
    lanes.push(rows.length);
    rows.push(new Row(title), ...laneRows);
  };
  for (const thread of threads) {
    if (rows.length > 0) rows.push(new Row());
    addLane(thread.name, layOutRuns(recording, depth, thread.runs));
    for (const task of recording.tasks.filter((each) => each.thread === thread)) {
      addLane(`↳ ${task.name}`, layOutCalls(task.calls));
    }
  }
  return {rows, lanes, length: recording.length};
}

function layOutRuns(recording, depth, runs) {
  const rows = [];
  const open = []; // by row: node and start of the box that has not ended
  const close = (size, time) => {
    while (open.length > size) {
      const {node, start} = open.pop();
      rowAt(rows, open.length).add(start, time, node);
    }
  };
  let time = 0;
  for (let run = 0; run < runs.node.length; run++) {
    const below = [];
    let node = Math.max(runs.node[run], 0); // a gap has no frames
    for (; node !== 0 && open[depth[node] - 1]?.node !== node; node = recording.nodeCaller[node]) below.push(node);
    close(depth[node], time);
    while (below.length > 0) open.push({node: below.pop(), start: time});
    time += runs.ns[run];
  }
  close(0, time);
  return rows;
}

function layOutCalls(calls) {
  const rows = [];
  for (const {depth, start, end, node} of calls) rowAt(rows, depth).add(start, end, node);
  return rows;
}
