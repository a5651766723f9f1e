import { expect } from 'vitest';
import type { Control, Ran } from './control.ts';

/** Real kubectl against what `control` gives when it is asked. Arguments are told apart by blanks. */
export function kubectlOf(control: () => Control) {
  const kubectl = (args: string, input?: string): Promise<Ran> => control().run('kubectl', args.split(' '), input);
  /** What it wrote; the test fails when kubectl does. */
  const expectOk = async (args: string, input?: string): Promise<string> => {
    const ran = await kubectl(args, input);
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    return ran.stdout;
  };
  return { kubectl, expectOk };
}
