/** What label keys and values may be, and Kubernetes' sentences for what they may not (apimachinery, validate/content). */

const NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const DNS_LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${DNS_LABEL}(\\.${DNS_LABEL})*`;

const name = new RegExp(`^${NAME}$`);
const dnsLabel = new RegExp(`^${DNS_LABEL}$`);

const MOST_NAME = 63;
const MOST_SUBDOMAIN = 253;

const SIGNS =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const NAME_RULE = `${SIGNS} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${NAME}')`;
const VALUE_RULE = `a valid label must be an empty string or ${SIGNS.slice('must '.length)} (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(${NAME})?')`;
const SUBDOMAIN_RULE = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${SUBDOMAIN}')`;

const tooLong = (most: number) => `must be no more than ${most} bytes`;

/** What is wrong with a label's key; empty when nothing is. */
export function labelKeyProblems(key: string): string[] {
  const parts = key.split('/', 3);
  if (parts.length > 2) {
    return [`a valid label key ${NAME_RULE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const problems: string[] = [];
  const own = parts.at(-1)!;
  if (parts.length === 2) problems.push(...prefixProblems(parts[0]!).map((problem) => `prefix part ${problem}`));
  if (own === '') problems.push('name part must be non-empty');
  else if (own.length > MOST_NAME) problems.push(`name part ${tooLong(MOST_NAME)}`);
  if (!name.test(own)) problems.push(`name part ${NAME_RULE}`);
  return problems;
}

/** What is wrong with a label's value; empty when nothing is. */
export function labelValueProblems(value: string): string[] {
  const problems: string[] = [];
  if (value.length > MOST_NAME) problems.push(tooLong(MOST_NAME));
  if (value !== '' && !name.test(value)) problems.push(VALUE_RULE);
  return problems;
}

function prefixProblems(prefix: string): string[] {
  return prefix === '' ? ['must be non-empty'] : subdomainProblems(prefix, 'bytes');
}

/** What is wrong with a name that is a subdomain of DNS; empty when nothing is. */
export function subdomainProblems(text: string, unit: 'bytes' | 'characters'): string[] {
  const problems: string[] = [];
  if (text.length > MOST_SUBDOMAIN) problems.push(`must be no more than ${MOST_SUBDOMAIN} ${unit}`);
  if (!text.split('.').every((label) => dnsLabel.test(label))) problems.push(SUBDOMAIN_RULE);
  return problems;
}

const LABEL_RULE = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${DNS_LABEL}')`;

/** What is wrong with a name that is a label of DNS; empty when nothing is. */
export function dnsLabelProblems(text: string): string[] {
  const problems: string[] = [];
  if (text.length > MOST_NAME) problems.push(tooLong(MOST_NAME));
  if (!dnsLabel.test(text)) problems.push(LABEL_RULE);
  return problems;
}

/** What is wrong with a name that is a segment of a path; empty when nothing is. */
export function segmentProblems(text: string): string[] {
  if (text === '.' || text === '..') return [`may not be '${text}'`];
  return ['/', '%'].filter((sign) => text.includes(sign)).map((sign) => `may not contain '${sign}'`);
}
