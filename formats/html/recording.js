// The recording as the page works with it: columns of numbers, made once of the JSON. Nothing in here changes.
'use strict';

const WEIGHTS = {wall: 'Wall time', cpu: 'CPU time', gil: 'GIL time', samples: 'Samples'};
const NO_FRAME = -1; // of node 0, the root of all stacks

class Recording {
  constructor(json) {
    this.version = json.gauge;
    this.title = json.title;
    this.firstWeight = json.weight;
    this.isByLine = json.frames_are === 'lines';
    this.threshold = json.threshold;
    this.windowNs = json.window_ns;
    this.isOrdered = json.ordered;
    this.processes = json.processes;
    this.health = json.health;
    this.frames = json.frames.name.map((name, i) => ({
      name: this.isByLine && json.frames.line[i] ? `${name}:${json.frames.line[i]}` : name,
      file: json.files[json.frames.file[i]],
      line: json.frames.line[i],
    }));
    // A stack is a node, with its innermost frame and the node of its caller; callers come first.
    this.nodeFrame = Int32Array.from(json.nodes.frame);
    this.nodeCaller = Int32Array.from(json.nodes.caller);
    this.threads = json.threads;
    this.taskCallsLeftOut = json.task_calls_left_out;
    // Calls of tasks are boxes of the timeline, too: numbered after the nodes.
    let node = json.nodes.frame.length;
    this.tasks = json.tasks.map((task) => ({
      name: task.name,
      thread: this.threads[task.thread],
      calls: callsOf(task).map((call) => ({...call, node: node++})),
    }));
    this.boxFrame = Int32Array.from([...json.nodes.frame, ...json.tasks.flatMap((task) => task.frame)]);
    const ends = this.tasks.flatMap((task) => task.calls.map((call) => call.end));
    this.length = Math.max(0, ...this.threads.map((thread) => sum(thread.runs.ns)), ...ends);
  }

  /** By node: what the given threads spent in it itself. */
  selfWeights(threads, weight) {
    const self = new Float64Array(this.nodeFrame.length);
    for (const thread of threads) {
      const amounts = thread[weight];
      thread.node.forEach((node, i) => { self[node] += amounts[i]; });
    }
    return self;
  }

  /** Of all threads. */
  total(weight) {
    return sum(this.threads.map((thread) => sum(thread[weight])));
  }

  /** "pkg/mod.py:12", or nothing where it is unknown. */
  place(frame) {
    const {file, line} = this.frames[frame];
    return line ? `${file}:${line}` : file;
  }
}

/** A task's calls, callers first, each with the depth at which it lies below the outermost. */
function callsOf(task) {
  const open = []; // ends of the calls that go on
  let start = 0;
  return task.start.map((sinceLast, i) => {
    start += sinceLast;
    while (open.length > 0 && open.at(-1) <= start) open.pop();
    return {start, end: start + task.ns[i], depth: open.push(start + task.ns[i]) - 1};
  });
}

function sum(numbers) {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
