// The head of the page: what was recorded, and what of it was lost.
'use strict';

function element(tag, text, className = '') {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

/** "Python 3.12.1 · 12.3 s · 1 230 samples of 4 threads · every 10 ms". */
function factsText(recording) {
  const [process] = recording.processes;
  if (!process) return '';
  const count = (number, what, many = `${what}s`) => `${formatCount(number)} ${number === 1 ? what : many}`;
  const facts = [
    `Python ${process.python_version}`,
    formatTime(recording.length),
    `${count(recording.total('samples'), 'sample')} of ${count(recording.threads.length, 'thread')}`,
    `every ${formatTime(process.interval_ns)}`,
    new Date(process.start_unix_ns / 1e6).toISOString().slice(0, 16).replace('T', ' ') + ' UTC',
  ];
  if (recording.processes.length > 1) facts.splice(1, 0, count(recording.processes.length, 'process', 'processes'));
  if (process.host) facts.push(process.host);
  return facts.join('  ·  ');
}

function makeLosses(details, {lines, matters}) {
  details.classList.toggle('is-whole', lines.length === 0);
  details.classList.toggle('is-grave', matters);
  const summary = lines.length === 0 ? 'Nothing lost' : lines.length === 1 ? lines[0] : `${lines.length} remarks on this recording`;
  details.querySelector('summary').textContent = summary;
  details.querySelector('ul').replaceChildren(...lines.map((line) => element('li', line)));
  details.querySelector('ul').hidden = lines.length === 0;
}

/** What the recording, and this page, have not kept: lines, and whether one of them moves shares. */
function lossesOf(recording) {
  const health = recording.health;
  const lines = [];
  let matters = false;
  const add = (count, text, isGrave) => {
    if (!count) return;
    lines.push(text);
    matters ||= isGrave;
  };
  const looks = health.ticks + health.missed_ticks;
  const count = (number, what) => `${formatCount(number)} ${what}${number === 1 ? '' : 's'}`;
  add(recording.processes.some((process) => process.truncated), 'the recording was cut: its end is missing', true);
  add(health.missed_ticks, `${count(health.missed_ticks, 'tick')} of ${formatCount(looks)} missed ` +
    `(${formatShare(health.missed_ticks, looks)})`, health.missed_ticks > 0.01 * looks);
  add(health.dropped_samples, `${count(health.dropped_samples, 'sample')} dropped, the queue being full`, true);
  add(health.unresolved_samples, `${count(health.unresolved_samples, 'sample')} lost to damage`, true);
  add(health.damaged_blocks, `${count(health.damaged_blocks, 'block')} of the file damaged`, true);
  add(health.failed_reads, `${count(health.failed_reads, 'stack')} could not be read`, false);
  add(health.partial_stacks, `${count(health.partial_stacks, 'stack')} partial: innermost frames are missing`, false);
  add(health.truncated_stacks, `${count(health.truncated_stacks, 'stack')} too deep to be followed to the root`, false);
  add(recording.threshold, `this page: calls below ${Number((100 * recording.threshold).toPrecision(3))} % are put together`, false);
  add(recording.windowNs, recording.isOrdered ?
    `this page: the timeline keeps order to ${formatTime(recording.windowNs)}` :
    'this page: the timeline keeps no order', false);
  add(recording.taskCallsLeftOut, `this page: ${count(recording.taskCallsLeftOut, 'call')} of tasks left out, the shortest`, false);
  return {lines, matters};
}
