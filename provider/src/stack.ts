/** Which configuration declares: its name among the managers of fields (server-side apply), and whether it takes what others own. */
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { terminal } from '@plumb/schemas';

export interface Stack {
  name: string;
  /** Whether a person has named it. The name of a folder tells managers apart, and is not enough to adopt anything. */
  isNamed: boolean;
  /** The manager of the fields that it declares. */
  manager: string;
  /** Whether it takes fields that others own and that it declares otherwise. */
  force: boolean;
}

/** Under which name Terraform declared before each stack had its own. */
export const BEFORE_STACKS = 'terraform';

const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const HASH_CHARACTERS = 12;

/** The violated rule of a name; undefined where it is one. */
export function stackMistake(name: string): string | undefined {
  if (NAME.test(name)) return undefined;
  return `stack must be letters, digits, dots, dashes and underscores, at most 63, with a letter or digit at both ends, but is ${JSON.stringify(name.slice(0, 80))}`;
}

/**
 * The stack that is `named`, in the provider block or the environment; else the one of the working folder and the workspace. Throws a
 * terminal `NotConfigured` for a name that is none.
 */
export function stackOf(named: string | undefined, cwd: string, workspace: string, force: boolean): Stack {
  if (named !== undefined && named !== '') {
    const mistake = stackMistake(named);
    if (mistake) throw terminal('NotConfigured', `${mistake}.`);
    return { name: named, isNamed: true, manager: managerOf(named), force };
  }
  const name = createHash('sha256')
    .update(`${realFolder(cwd)}\0${workspace}`)
    .digest('hex')
    .slice(0, HASH_CHARACTERS);
  return { name, isNamed: false, manager: managerOf(name), force };
}

function managerOf(name: string): string {
  return `${BEFORE_STACKS}:${name}`;
}

function realFolder(cwd: string): string {
  try {
    return realpathSync(cwd);
  } catch {
    return cwd;
  }
}
