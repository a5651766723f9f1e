import { type HostResource, terminal } from '@plumb/schemas';
import { describe, expect, it } from 'vitest';
import { FakeFleet } from '../fleet/testing/fake-fleet.ts';
import { diffHost, PLAN_VERSION, type Plan } from '../plan/plan.ts';
import { commands, execute } from './execute.ts';
import { doneSteps, passesPivot, undoSteps } from './undo.ts';

const disk: HostResource = { kind: 'disk', id: 'u.root', owner: 'u', spec: { image: 'i', imageFormat: 'raw' } };
const seed: HostResource = {
  kind: 'seed',
  id: 'u.seed',
  owner: 'u',
  spec: { instanceId: 'u', hostname: 'h', sshKeys: [] },
};
const image: HostResource = {
  kind: 'image',
  id: 'i',
  owner: 'img',
  spec: { url: 'file:///i', sha256: 'i', format: 'raw', maxBytes: 1 },
};

function fleetWith(...resources: HostResource[]): FakeFleet {
  const fleet = new FakeFleet();
  fleet.connect('h');
  for (const resource of resources) fleet.put('h', { ...resource, drift: [] } as never);
  return fleet;
}

describe('a plan', () => {
  it('makes resources in order, removes in reverse, and leaves what is equal', () => {
    const gone: HostResource = { ...seed, id: 'u.old' };
    const steps = diffHost(
      'h',
      'u',
      [seed, image, disk],
      [{ ...image, drift: [] } as never, { ...gone, drift: [] } as never],
    );
    expect(steps.map((s) => s.id)).toEqual(['make disk/u.root', 'make seed/u.seed', 'remove seed/u.old']);
    expect(diffHost('h', 'u', [seed], [{ ...seed, drift: [] } as never])).toEqual([]);
  });

  it('undoes in reverse what is its own, and puts back what was', () => {
    const before: HostResource = { ...seed, spec: { ...seed.spec, hostname: 'before' } };
    const steps = diffHost('h', 'u', [image, disk, seed], [{ ...before, drift: [] } as never]);
    expect(undoSteps(steps).map((s) => [s.verb, s.resource])).toEqual([
      ['ensure', before],
      ['remove', disk],
    ]);
  });

  it('that took the place of others is undone to what was before all of them', () => {
    const was: HostResource = { ...seed, spec: { ...seed.spec, hostname: 'was' } };
    const half: HostResource = { ...seed, spec: { ...seed.spec, hostname: 'half' } };
    const carried = diffHost('h', 'u', [disk, half], [{ ...was, drift: [] } as never]);
    const steps = diffHost('h', 'u', [disk, seed], [
      { ...disk, drift: [] },
      { ...half, drift: [] },
    ] as never);
    const undone = undoSteps(doneSteps({ carried, plan: { version: PLAN_VERSION, steps } }));
    expect(undone.map((s) => [s.verb, s.resource])).toEqual([
      ['ensure', was],
      ['remove', disk],
    ]);
  });

  it('has passed the pivot once data was destroyed, and not before', () => {
    const steps = diffHost('h', 'u', [seed], [{ ...disk, drift: [] } as never]);
    expect(steps.map((s) => s.undo)).toEqual(['undoable', 'pivot']);
    expect(passesPivot({ version: PLAN_VERSION, steps }, steps[0]!.id)).toBe(false);
    expect(passesPivot({ version: PLAN_VERSION, steps }, steps[1]!.id)).toBe(true);
    expect(commands(steps)).toHaveLength(2);
  });

  it('leaves the host as it was: done and undone at any point, each step repeated', async () => {
    const before: HostResource = { ...seed, spec: { ...seed.spec, hostname: 'before' } };
    for (const failing of ['disk/u.root', 'seed/u.seed', undefined]) {
      const fleet = fleetWith(image, before);
      const start = JSON.stringify([...fleet.host('h')!.resources.values()]);
      const steps = diffHost('h', 'u', [disk, seed], [{ ...before, drift: [] } as never]);
      const plan: Plan = { version: PLAN_VERSION, steps };
      fleet.fault = (_h, _v, t) => (`${t.kind}/${t.id}` === failing ? terminal('No', 'no') : undefined);
      const run = () => execute(steps, { fleet, owner: 'u', fence: 1 });
      const result = [await run(), await run()];
      expect(result.map((r) => r.outcome)).toEqual(failing ? ['failed', 'failed'] : ['done', 'done']);
      fleet.fault = () => undefined;
      for (let i = 0; i < 2; i++) await execute(undoSteps(plan.steps), { fleet, owner: 'u', fence: 2 });
      expect(JSON.stringify([...fleet.host('h')!.resources.values()])).toBe(start);
    }
  });

  it('stops between commands when it is superseded', async () => {
    const fleet = fleetWith(disk);
    const steps = diffHost('h', 'u', [seed], [{ ...disk, drift: [] } as never]);
    const result = await execute(steps, { fleet, owner: 'u', fence: 1, superseded: () => fleet.sent.length > 0 });
    expect(result).toMatchObject({ outcome: 'superseded', next: { id: 'remove disk/u.root' } });
    expect(fleet.keysOn('h')).toEqual(['disk/u.root', 'seed/u.seed']);
  });
});
