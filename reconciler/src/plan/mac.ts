/** Ethernet addresses that follow from who has them. */

/** Where the version of a UUID stands among its digits (RFC 9562). */
const VERSION_DIGIT = 12;

/**
 * A locally administered unicast address (IEEE 802) from random digits of a UUID and a small number. Of version 4 it takes
 * the first ones, as it always did: what runs keeps its address. Those of version 7 begin with a time, so the last ones.
 */
export function macFromUid(firstByte: '02' | '0a', uid: string, index = 0): string {
  const hex = uid.replaceAll('-', '');
  const random = hex[VERSION_DIGIT] === '4' ? hex.slice(0, 10) : hex.slice(-10);
  const last = (Number.parseInt(random.slice(8), 16) + index) % 256;
  const bytes = [firstByte, random.slice(0, 2), random.slice(2, 4), random.slice(4, 6), random.slice(6, 8)];
  return [...bytes, last.toString(16).padStart(2, '0')].join(':');
}
