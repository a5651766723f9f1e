import { readdirSync, readFileSync } from 'node:fs';

/** Linux only: what the kernel says of a process. */

/** Processor seconds of all threads until now, from the scheduler's own count in nanoseconds (/proc/PID/stat: in hundredths). */
export function cpuSeconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const used = threads.map((id) => Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'latin1').split(' ')[0]));
  return used.reduce((sum, ns) => sum + ns, 0) / 1e9;
}

/** Resident memory now and at its highest, in MiB. */
export function memoryMiB(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const kib = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
  return { now: kib('VmRSS') / 1024, peak: kib('VmHWM') / 1024 };
}

/** Processor seconds of the whole machine until now: work, and what a hypervisor gave to others. */
export function machineBusySeconds(): number {
  const fields = (readFileSync('/proc/stat', 'latin1').split('\n', 1)[0] ?? '').split(/\s+/).slice(1).map(Number);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
  return (user + nice + system + irq + softirq + steal) / 100; // USER_HZ is 100 on every Linux that Node runs on
}

/** Processor seconds until now of a process and of everything that it started, ended ones included. */
export function treeCpuSeconds(root: number): number {
  const children = new Map<number, number[]>();
  const used = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const fields = statFields(Number(name));
    if (!fields) continue;
    const parent = fields[1] ?? 0;
    const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15);
    used.set(Number(name), (user + system + endedUser + endedSystem) / 100);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const sum = (pid: number): number =>
    (used.get(pid) ?? 0) + (children.get(pid) ?? []).reduce((total, child) => total + sum(child), 0);
  return sum(root);
}

/** The numbers of /proc/PID/stat behind the name; undefined when the process has ended. */
function statFields(pid: number): number[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
  } catch {
    return undefined;
  }
}

/** Looks at a process from now on; the returned function says what share of one core it used, and its memory. */
export function watchUsage(pid: number): () => { rss: number; cpu: number } {
  const before = { at: performance.now(), used: cpuSeconds(pid) };
  return () => {
    const seconds = (performance.now() - before.at) / 1000;
    return { rss: memoryMiB(pid).now, cpu: ((cpuSeconds(pid) - before.used) / seconds) * 100 };
  };
}
