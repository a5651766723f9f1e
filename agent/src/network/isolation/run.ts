/** Sends the matrix, and says what came of it beside what was expected. */

import type { Case, Target } from './cases/case.ts';
import { targets } from './cases/case.ts';
import type { Card, Party, World } from './world.ts';

export interface Outcome {
  row: Case;
  /** Of the targets, those that were spoken to and those of them that heard it. */
  spokenTo: Target[];
  heard: Set<Target>;
  /** Those who heard what was not for them. */
  overheard: Party[];
}

export async function sendMatrix(world: World, rows: readonly Case[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const from of targets) {
    const own = rows.filter((row) => row.from === from);
    if (own.length > 0) outcomes.push(...(await sendFrom(world, from, own)));
  }
  return outcomes;
}

async function sendFrom(world: World, from: Target, rows: readonly Case[]): Promise<Outcome[]> {
  const { cards } = world;
  const frames: { row: Case; to: Target | undefined; frame: Buffer }[] = [];
  const add = (row: Case, to: Target | undefined, card: Card) =>
    frames.push({ row, to, frame: row.frame({ own: cards[from], to: card, cards, serial: frames.length + 1 }) });
  for (const row of rows)
    if (row.to === 'all') add(row, undefined, cards.neighbour);
    else for (const to of spokenTo(from)) add(row, to, cards[to]);
  const heard = await world.send(
    from,
    frames.map(({ frame }) => frame),
  );
  return rows.map((row) => {
    const outcome: Outcome = { row, spokenTo: spokenTo(from), heard: new Set(), overheard: [] };
    for (const [index, { row: of, to }] of frames.entries())
      if (of === row) for (const party of heard[index]!) note(outcome, party, to);
    return outcome;
  });
}

/** What a guest says to everybody, the bystander hears as the neighbour does; nobody else hears anything. */
function note(outcome: Outcome, party: Party, to: Target | undefined): void {
  const isTarget = (targets as readonly Party[]).includes(party);
  if (isTarget && (to === undefined || party === to) && party !== outcome.row.from) outcome.heard.add(party as Target);
  else if (party !== 'bystander' || to !== undefined || outcome.row.heard.length === 0) outcome.overheard.push(party);
}

function spokenTo(from: Target): Target[] {
  return targets.filter((target) => target !== from);
}
