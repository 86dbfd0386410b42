// Which frames a search finds, and how much of the weight they hold.
'use strict';

/** By frame: 1 if its name or file matches; null where nothing is searched. /.../ is a regular expression. */
function searchFrames(recording, query) {
  if (query === '') return null;
  const isMatch = matcher(query);
  return Uint8Array.from(recording.frames, (frame) => (isMatch(frame.name) || isMatch(frame.file) ? 1 : 0));
}

function matcher(query) {
  const [, pattern] = /^\/(.+?)\/?$/.exec(query) || [];
  if (pattern !== undefined) {
    try {
      const expression = new RegExp(pattern, 'i');
      return (text) => expression.test(text);
    } catch {
      // Half typed: as text until it is whole.
    }
  }
  const wanted = query.toLowerCase();
  return (text) => text.toLowerCase().includes(wanted);
}

/** Weight of the stacks with a match in them; each counts once. */
function matchedWeight(tree, matches) {
  const isInside = new Uint8Array(tree.size);
  let weight = 0;
  for (let node = 1; node < tree.size; node++) {
    isInside[node] = isInside[tree.caller[node]];
    if (isInside[node] || !matches[tree.frame[node]]) continue;
    isInside[node] = 1;
    weight += tree.total[node];
  }
  return weight;
}
