/**
 * How the text of an object stands in the store's file: with one or two control characters in place of each word that nearly all
 * objects have, so that an instance takes less than half of its bytes there. JSON never holds a control character as it is. Only
 * the file knows of it: whoever reads or watches the store gets the text in full.
 *
 *   {"apiVersion":"plumb.dev/v1","kind":"Instance","metadata":{"name":"web-0","namespace":"default","uid":"3f2c…
 *   {\x0eweb-0\x0f3f2c…
 *
 * The list is part of the format of the file: what stands in it stays as it is and where it is. New words go to its end, and make
 * a new format (sqlite-file.ts).
 */

/** Each begins with a quotation mark: there alone a word is looked for. */
export const WORDS: readonly string[] = [
  // By one character, \x0e to \x1e.
  '"apiVersion":"plumb.dev/v1","kind":"Instance","metadata":{"name":"',
  '","namespace":"default","uid":"',
  '","generation":1,"creationTimestamp":"',
  '"finalizers":["plumb.dev/instance"],"managedFields":[{"manager":"',
  '","operation":"Update","apiVersion":"plumb.dev/v1","time":"',
  '","fieldsType":"FieldsV1","fieldsV1":{"f:',
  '":{},"f:',
  '":{".":{},"f:',
  '"interfaces":[{"name":"',
  '","l3Network":"',
  '"power":"Running","restartPolicy":"OnFailure","driftPolicy":"Repair","allowDataLoss":false},"status":{"host":"',
  '","power":"Running","cpus":',
  '","macAddress":"',
  '","addresses":["',
  '"observedGeneration":',
  '"lastTransitionTime":"',
  '"conditions":[{"type":"Ready","status":"True","reason":"Running","message":"runs on host ',
  // By two, the first of them \x1f.
  '"memoryMiB":',
  '","l3NetworkUid":"',
  '"rootDisk":{"id":"',
  '","imageUid":"',
  '","sha256":"',
  '","format":"qcow2"}',
  '","operation":"Apply","apiVersion":"plumb.dev/v1","time":"',
  '"f:metadata":{"f:labels":{".":{},"f:',
  '"f:allowDataLoss":{},"f:driftPolicy":{},"f:image":{},"f:interfaces":{',
  '".":{},"k:{\\"name\\":\\"',
  '"}":{".":{},"f:l3Network":{},"f:name":{}}},"f:offering":{},"f:power":{},"f:restartPolicy":{},"f:zone":{}}}}]},"spec":{',
  '"zone":"',
  '","offering":"',
  '","image":"',
  '"rootDiskMiB":',
  '"sshKeys":["ssh-ed25519 ',
  '"labels":{"',
  '"annotations":{"',
  '"apiVersion":"plumb.dev/v1","kind":"',
  '","metadata":{"name":"',
  '","namespace":"',
  '","uid":"',
  '","generation":',
  '"creationTimestamp":"',
  '"finalizers":["plumb.dev/',
  '"managedFields":[{"manager":"',
  '"spec":{"',
  '"status":{"',
  '"power":"Running"',
  '"restartPolicy":"OnFailure"',
  '"driftPolicy":"Repair"',
  '"allowDataLoss":false',
  '"conditions":[{"type":"Ready","status":"True","reason":"',
  '"type":"Ready","status":"False","reason":"',
  '"type":"Reconciling","status":"True","reason":"',
  '"type":"Stalled","status":"True","reason":"',
  '","message":"',
];

/** Places of one character: \x0e and the next. */
const FIRST = 0x0e;
const SINGLE = 17;
/** Before the second character of a place of two. */
const TWO = 0x1f;
const SECOND = 0x21;
/** Before a text that holds such characters itself, and stands there as it is. */
const AS_IT_IS = '\x0b';

const OBJECT = '{"apiVersion":"';
// biome-ignore lint/suspicious/noControlCharactersInRegex: they stand for words here
const OWN = /[\x0e-\x1f]/;

const places = WORDS.map((_, n) =>
  n < SINGLE ? String.fromCharCode(FIRST + n) : String.fromCharCode(TWO, SECOND + n - SINGLE),
);

/** Words by their second and fourth character, the longest first: most quotation marks begin none, and that is known at once. */
const ASCII = 128;
const wordsBy: (number[] | undefined)[] = new Array(ASCII * ASCII);
for (const n of WORDS.keys()) {
  const at = WORDS[n]!.charCodeAt(1) * ASCII + WORDS[n]!.charCodeAt(3);
  wordsBy[at] = [...(wordsBy[at] ?? []), n].sort((a, b) => WORDS[b]!.length - WORDS[a]!.length);
}

/** As it stands in the file. */
export function shortened(text: string): string {
  if (OWN.test(text) || text.startsWith(AS_IT_IS)) return AS_IT_IS + text;
  return text.startsWith(OBJECT) ? withPlaces(text) : text;
}

function withPlaces(text: string): string {
  let short = '';
  let copied = 0;
  for (let at = text.indexOf('"'); at >= 0; ) {
    const n = wordBeginningAt(text, at);
    if (n < 0) {
      at = text.indexOf('"', at + 1);
      continue;
    }
    short += text.slice(copied, at) + places[n]!;
    copied = at + WORDS[n]!.length;
    at = text.indexOf('"', copied);
  }
  return short + text.slice(copied);
}

/** Which word; −1: none. A plain loop: it runs for each quotation mark of what is written. */
function wordBeginningAt(text: string, at: number): number {
  const second = text.charCodeAt(at + 1);
  const fourth = text.charCodeAt(at + 3);
  if (second >= ASCII || fourth >= ASCII) return -1;
  const alike = wordsBy[second * ASCII + fourth];
  if (alike === undefined) return -1;
  for (let i = 0; i < alike.length; i++) if (text.startsWith(WORDS[alike[i]!]!, at)) return alike[i]!;
  return -1;
}

/** What was shortened. Texts of files of before hold no such places. A place for a word that there is not stays: it is no JSON. */
export function inFull(text: string): string {
  if (text.startsWith(AS_IT_IS)) return text.slice(1);
  let full = '';
  let copied = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < FIRST || code > TWO) continue;
    const word = code === TWO ? WORDS[text.charCodeAt(at + 1) - SECOND + SINGLE] : WORDS[code - FIRST];
    if (word === undefined) continue;
    full += text.slice(copied, at) + word;
    if (code === TWO) at++;
    copied = at + 1;
  }
  return copied === 0 ? text : full + text.slice(copied);
}
