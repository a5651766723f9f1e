/** A scale carries values to a length of the picture, and knows where its ticks are. */
export interface Scale {
  /** Pixels from the origin of the axis. */
  at(value: number): number;
  /** Where lines with a label go. */
  ticks: number[];
  /** Where fainter lines without a label go. */
  minor: number[];
}

/** From 0 to a round number above `max`. */
export function linearScale(max: number, length: number): Scale {
  const step = roundUp(max / 5);
  const top = Math.ceil(max / step) * step || 1;
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step);
  return { at: (value) => (value / top) * length, ticks, minor: [] };
}

/** From a 1, 2 or 5 times a power of ten that is not above `min` to one that is not below `max`; both above 0. */
export function logScale(min: number, max: number, length: number): Scale {
  const low = roundDown(min);
  const high = Math.max(roundUp(max), low * 10);
  const decades = (value: number) => Math.log10(value / low) / Math.log10(high / low);
  const all: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
    for (let i = 1; i < 10; i++) all.push(i * 10 ** power);
  const shown = all.filter((value) => value >= low * 0.999 && value <= high * 1.001);
  const powers = shown.filter((value) => first(value) === 1);
  const isTick = (value: number) => (powers.length >= 3 ? first(value) === 1 : [1, 2, 5].includes(first(value)));
  return {
    at: (value) => decades(value) * length,
    ticks: shown.filter(isTick),
    minor: shown.filter((value) => !isTick(value)),
  };
}

/** Each of the values at the same distance from the next, with space at both ends. */
export function namesScale(values: readonly number[], length: number): Scale {
  return {
    at: (value) => ((values.indexOf(value) + 0.5) / values.length) * length,
    ticks: [...values],
    minor: [],
  };
}

/** The least of 1, 2, 2.5, 5 and 10 times a power of ten that is not below the value. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 2.5, 5, 10].find((step) => step * power >= value * 0.9999) ?? 10) * power;
}

function roundDown(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([5, 2, 1].find((step) => step * power <= value * 1.0001) ?? 1) * power;
}

function first(value: number): number {
  return Math.round(value / 10 ** Math.floor(Math.log10(value) + 1e-9));
}
