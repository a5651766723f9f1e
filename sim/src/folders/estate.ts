/** Declares an estate to a server of any version, and brings each instance to where its scene is. */
import type { Client } from '@plumb/client/client.ts';
import type { Scene, Step } from './scenario.ts';

const GROUP = '/apis/plumb.dev/v1';
const MERGE = 'application/merge-patch+json';
/** Longer than it takes until everything is ended, and shorter than anybody takes to open what was kept. */
const SET_SECONDS = 20;
const PROJECT = `${GROUP}/namespaces/default`;
export type Ask = (request: string, argument?: unknown) => Promise<never>;

export class Estate {
  readonly client: Client;
  readonly #agents: readonly Ask[];
  readonly #set: { name: string; uid: string }[] = [];

  constructor(client: Client, agents: readonly Ask[]) {
    this.client = client;
    this.#agents = agents;
  }

  list() {
    return this.#set;
  }

  /** Everything that instances need, and hosts that are there. */
  async declare(): Promise<void> {
    await this.#post('zones', 'Zone', 'home', {});
    for (const name of ['sim-1', 'sim-2', 'sim-3'])
      await this.#post('hosts', 'Host', name, { zone: 'home' }, { power: name === 'sim-3' ? 'lost' : 'here' });
    for (const [index, name] of ['lab', 'back', 'leaving'].entries()) {
      await this.#post('l2networks', 'L2Network', name, { zone: 'home', type: 'vxlan', vni: 100 + index });
      const net = `10.${20 + index}.0`;
      const ranges = [{ start: `${net}.10`, end: `${net}.250` }];
      await this.#post('l3networks', 'L3Network', name, {
        l2Network: name,
        ipv4: { cidr: `${net}.0/24`, gateway: `${net}.1`, ranges },
      });
    }
    for (const [index, name] of ['tiny', 'other'].entries())
      await this.#post('images', 'Image', name, {
        url: `https://images.invalid/${name}.qcow2`,
        sha256: `${index}123456789abcdef`.repeat(4),
        format: 'qcow2',
      });
    for (const [name, memoryMiB] of Object.entries({ small: 128, large: 256, edited: 256 }))
      await this.#post('instanceofferings', 'InstanceOffering', name, { cpus: 1, memoryMiB });
    for (const name of ['sim-1', 'sim-2', 'sim-3'])
      await this.#until(`${name} is Ready`, async () => isReady(await this.client.find(`${GROUP}/hosts/${name}`)));
  }

  async set({ name, spec, made = [], after: event, late, bySet, until }: Scene): Promise<void> {
    console.log(name);
    const path = `${PROJECT}/instances/${name}`;
    const then = late ? undefined : event;
    await this.#tell(name, made);
    const sets = {
      ...{ zone: 'home', offering: 'small', image: 'tiny', interfaces: [{ name: 'eth0', l3Network: 'lab' }] },
      hostSelector: { matchLabels: { power: 'here' } },
      ...spec,
    };
    const uid = await (bySet ? this.#makeBySet(name, sets) : this.#make(name, sets));
    this.#set.push({ name, uid });
    if (made.length === 0) await this.#until(`${name} is Ready`, async () => isReady(await this.client.find(path)));
    if (then) {
      await this.#tell(name, then.hosts ?? [], uid);
      await this.#happen(path, then, uid);
    }
    const last = (then?.hosts ?? made).at(-1);
    if (until) await this.#until(`${name} is ${until}`, async () => isAt(await this.client.find(path), until));
    else if (last)
      await this.#until(`hosts meet the last step of ${name}`, async () =>
        (await this.all('met', undefined, `${name} ${last.verb} ${last.kind}`)).some((met) => Number(met) > 0),
      );
    await this.all('know', undefined, [uid]);
  }

  async #make(name: string, spec: object): Promise<string> {
    const { metadata } = await this.#post('instances', 'Instance', name, spec);
    return metadata.uid;
  }

  async #makeBySet(name: string, spec: object): Promise<string> {
    const objects = [{ kind: 'Instance', metadata: { name }, spec }];
    await this.#post('changesets', 'ChangeSet', name, { objects, deadlineSeconds: SET_SECONDS });
    const path = `${PROJECT}/instances/${name}`;
    await this.#until(`${name} is made`, async () => (await this.client.find(path)) !== undefined);
    return (await this.client.send('GET', path)).metadata.uid;
  }

  async setLate({ name, after }: Scene): Promise<void> {
    console.log(`${name}, its host away`);
    const path = `${PROJECT}/instances/${name}`;
    const { uid } = this.#set.find((set) => set.name === name)!;
    await this.#happen(path, after!, uid);
    await this.#until(`${name} waits for its host`, async () => !isReady(await this.client.find(path)));
  }

  async #happen(path: string, then: NonNullable<Scene['after']>, uid: string): Promise<void> {
    if (then.delete) await this.client.send('DELETE', path);
    if (then.other) {
      const { method, path: other, body } = then.other;
      await this.client.send(method, `${GROUP}/${other}`, { body, type: body && MERGE });
    }
    if (then.crash) {
      const { status } = await this.client.send('GET', path);
      await this.all('kill', undefined, { host: status.host, id: uid });
    }
    if (then.spec || then.offering) {
      const body = { spec: { ...then.spec, ...(then.offering ? { offering: then.offering } : {}) } };
      await this.client.send('PATCH', path, { body, type: MERGE });
    }
  }

  async #tell(name: string, steps: readonly Step[], owner?: string): Promise<void> {
    for (const step of steps)
      await this.all('rule', undefined, { id: `${name} ${step.verb} ${step.kind}`, ...step, owner });
  }

  /** Answers of all agents' processes, or of one. */
  async all(request: string, only?: number, argument?: unknown): Promise<unknown[]> {
    const asked = this.#agents.filter((_, index) => only === undefined || index === only);
    const answers: unknown[] = await Promise.all(asked.map((ask) => ask(request, argument)));
    return answers.flat();
  }

  async #post(plural: string, kind: string, name: string, spec: object, labels?: object) {
    const root = ['Instance', 'L3Network', 'ChangeSet'].includes(kind) ? PROJECT : GROUP;
    const body = { apiVersion: 'plumb.dev/v1', kind, metadata: { name, ...(labels ? { labels } : {}) }, spec };
    return this.client.send('POST', `${root}/${plural}`, { body });
  }

  async #until(what: string, is: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 60_000;
    while (!(await is())) {
      if (Date.now() > deadline) throw new Error(`not within a minute: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

interface Status {
  status?: { conditions?: { type: string; status: string; reason: string }[] };
}

function isReady(object: Status | undefined): boolean {
  return object?.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
}

function isAt(object: Status | undefined, until: NonNullable<Scene['until']>): boolean {
  if (until === 'gone') return object === undefined;
  const conditions = object?.status?.conditions ?? [];
  if (until === 'Stuck') return conditions.some(({ type, reason }) => type === 'Ready' && reason === 'Stuck');
  return conditions.some(({ type, status }) => type === 'Stalled' && status === 'True');
}
