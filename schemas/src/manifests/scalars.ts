/**
 * Scalars that YAML 1.1, as kubectl reads it, and YAML 1.2 understand differently. They are refused, so that a manifest
 * means the same whoever reads it.
 */

const OTHER_BOOLEANS = /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/;
const TRUE = /^(?:y|Y|yes|Yes|YES|on|On|ON)$/;
const LEADING_ZERO = /^[-+]?0[0-9_]+$/;
const UNDERSCORES = /^[-+]?[0-9]+_[0-9_]*(?:\.[0-9_]*)?$/;
const BINARY = /^[-+]?0b[01_]+$/;
const NOT_FINITE = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

/** Why a plain scalar is ambiguous and what to write instead; undefined when it is not. `source` is as written. */
export function ambiguity(source: string, value: unknown): string | undefined {
  if (OTHER_BOOLEANS.test(source)) {
    const read = TRUE.test(source);
    return `${source} is ${read} to kubectl and the text "${source}" to others: write ${read}, or "${source}" in quotes`;
  }
  if (LEADING_ZERO.test(source)) {
    const decimal = source.replaceAll('_', '').replace(/^([-+]?)0+(?=\d)/, '$1');
    return `${source} is an octal number to kubectl and a decimal one to others: write ${decimal}, or "${source}" in quotes`;
  }
  if (UNDERSCORES.test(source) || BINARY.test(source)) {
    return `${source} is a number to kubectl and text to others: write the number in plain digits, or "${source}" in quotes`;
  }
  if (NOT_FINITE.test(source)) return `${source} is a number that JSON cannot hold`;
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    return `${source} is larger than can be held exactly: write it in quotes, if it is text`;
  }
  return undefined;
}
