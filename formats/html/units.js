// Numbers as people read them.
'use strict';

const TIME_UNITS = [['s', 1e9], ['ms', 1e6], ['µs', 1e3], ['ns', 1]];

/** Three digits that count: "1.23 s", "45.6 ms", "789 µs". */
function formatTime(ns) {
  if (ns === 0) return '0 s';
  const [unit, size] = TIME_UNITS.find(([, each]) => ns >= each) || TIME_UNITS.at(-1);
  return `${threeDigits(ns / size)} ${unit}`;
}

function threeDigits(number) {
  if (number >= 100) return formatCount(Math.round(number));
  return number.toFixed(number >= 10 ? 1 : 2);
}

/** With thin spaces between thousands. */
function formatCount(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, '\u2009');
}

function formatAmount(weight, amount) {
  return weight === 'samples' ? `${formatCount(amount)} sample${amount === 1 ? '' : 's'}` : formatTime(amount);
}

/** Exactly, for a tooltip. */
function formatExactly(weight, amount) {
  return weight === 'samples' ? formatAmount(weight, amount) : `${formatCount(amount)} ns`;
}

/** Enough digits to tell small shares from none. */
function formatShare(part, whole) {
  if (whole === 0 || part === 0) return '0 %';
  const percent = 100 * part / whole;
  if (percent < 0.01) return '< 0.01 %';
  return `${percent.toFixed(percent >= 99.95 ? 0 : percent >= 10 ? 1 : 2)} %`;
}
