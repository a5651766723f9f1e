/** Formats of strings. Every expression here takes time linear in the string. */

const OCTET = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const IPV4 = new RegExp(`^${OCTET}\\.${OCTET}\\.${OCTET}\\.${OCTET}$`);
/** An IPv4 address and a prefix length, each without leading zeros, as Kubernetes' format of that name. */
const CIDR = new RegExp(`^${OCTET}\\.${OCTET}\\.${OCTET}\\.${OCTET}/(3[0-2]|[12]?\\d)$`);
/** RFC 3339. */
const DATE_TIME = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;

interface Format {
  holds(text: string): boolean;
  /** What a string must be, in words. */
  words: string;
}

export const formats: Readonly<Record<string, Format>> = {
  ipv4: { holds: (text) => IPV4.test(text), words: 'an IPv4 address' },
  cidr: {
    holds: (text) => CIDR.test(text),
    words: 'an IPv4 subnet with its prefix length, such as 10.20.0.0/24',
  },
  byte: { holds: isBase64, words: 'base64 with padding' },
  'date-time': {
    holds: (text) => DATE_TIME.test(text) && !Number.isNaN(Date.parse(text)),
    words: 'a valid date-time',
  },
};

/** Whether it is what Go's base64.StdEncoding reads: the alphabet of RFC 4648 section 4 with padding. */
export function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}
