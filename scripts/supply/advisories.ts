/** What is known against the packages, as far as the registry can be asked. */
import { run } from '../run.ts';

export interface Advisory {
  name: string;
  severity: string;
  title: string;
  url: string;
  /** Of a tool that is used and not shipped. */
  tool: boolean;
}

/** `unchecked`: why the registry could not be asked. */
export type Advisories = { found: Advisory[] } | { unchecked: string };

interface Vulnerability {
  name: string;
  severity: string;
  via: (string | { title?: string; url?: string })[];
}

/** Asks the registry by `npm audit`. */
export async function advisories(root: string): Promise<Advisories> {
  const ask = async (args: string[]) =>
    audited((await run('npm', ['audit', '--json', ...args], { cwd: root, accept: ANY })).stdout);
  const shipped = await ask(['--omit=dev', '--omit=optional']);
  if ('unchecked' in shipped) return shipped;
  const all = await ask([]);
  if ('unchecked' in all) return all;
  const names = new Set(shipped.found.map(({ name }) => name));
  return { found: all.found.map((one) => ({ ...one, tool: !names.has(one.name) })) };
}

/** npm ends with 1 when it has found something, and when it could not ask. */
const ANY = [0, 1];

/** The answer of `npm audit --json`. */
export function audited(text: string): Advisories {
  let answer: {
    vulnerabilities?: Record<string, Vulnerability>;
    message?: string;
    statusCode?: number;
    auditReportVersion?: number;
  };
  try {
    answer = JSON.parse(text);
  } catch {
    return { unchecked: 'npm audit said nothing that can be read' };
  }
  if (answer.auditReportVersion !== 2 || !answer.vulnerabilities)
    return { unchecked: answer.message ?? 'npm audit gave no report' };
  return {
    found: Object.values(answer.vulnerabilities).map(({ name, severity, via }) => {
      const known = via.find((one) => typeof one === 'object');
      const { title = `by way of ${via.join(', ')}`, url = '' } = known ?? {};
      return { name, severity, title, url, tool: false };
    }),
  };
}
