// Colours: one hue for each of the heaviest packages, grey for the rest; shades tell neighbours apart.
'use strict';

const HUES = [212, 24, 150, 282, 46, 340, 184, 96, 256, 4];
const LEGEND_SIZE = 7;
const NO_HUE = -1;

/** "pkg" of "pkg.mod.f"; nothing for a name without a module and for what is no function, such as "[no samples]". */
function packageOf(name) {
  return /^([^\s.[(<:]+)\./.exec(name)?.[1] ?? '';
}

class Palette {
  /** weightOf: by frame, what makes a package heavy. */
  constructor(recording, weightOf) {
    const packages = recording.frames.map((frame) => packageOf(frame.name));
    const weights = new Map();
    packages.forEach((name, frame) => {
      if (name !== '') weights.set(name, (weights.get(name) ?? 0) + weightOf[frame]);
    });
    const ranked = [...weights.keys()].sort((a, b) => weights.get(b) - weights.get(a) || (a < b ? -1 : 1));
    this.hueOfPackage = new Map(ranked.slice(0, HUES.length).map((name, rank) => [name, HUES[rank]]));
    this.legend = ranked.slice(0, LEGEND_SIZE);
    this.hues = packages.map((name) => this.hueOfPackage.get(name) ?? NO_HUE);
    this.shades = recording.frames.map((frame) => shadeOf(frame.name));
    this.setDark(false);
  }

  /** Draw for a dark page, or a light one. */
  setDark(isDark) {
    this.isDark = isDark;
    this.fills = this.hues.map((hue, frame) => fill(hue, this.shades[frame], isDark));
    this.rootFill = fill(NO_HUE, 0, isDark);
  }

  fillOfPackage(name) {
    return fill(this.hueOfPackage.get(name) ?? NO_HUE, 0.5, this.isDark);
  }
}

function fill(hue, shade, isDark) {
  const saturation = hue === NO_HUE ? 6 : isDark ? 38 : 78;
  const lightness = isDark ? 30 + 7 * shade : 86 - 9 * shade;
  return `hsl(${hue === NO_HUE ? 215 : hue} ${saturation}% ${lightness}%)`;
}

/** 0 to 1, the same for the same name. */
function shadeOf(name) {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) >>> 0;
  return (hash % 97) / 96;
}
