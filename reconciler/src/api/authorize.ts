/** The refusal of what somebody may not do, in the words of Kubernetes: tools and people know them. */
import { PlumbError } from '@plumb/schemas';
import { type Attributes, isPath, type ResourceAttributes } from '../authorization/policy.ts';
import type { PolicyIndex } from '../authorization/policy-index.ts';
import type { User } from '../pki/tokens.ts';
import type { About } from './failure.ts';

/** Who may do what. */
export type Access = Pick<PolicyIndex, 'decide' | 'rulesFor' | 'rulesOf'>;

/** It knows what it speaks of: that may be something else than what the request names. */
export class Forbidden extends PlumbError {
  readonly about: About;

  constructor(about: About, why: string) {
    const { group = '', plural = '', name = '' } = about;
    const what = group === '' ? plural : `${plural}.${group}`;
    const named = name === '' ? what : `${what} ${JSON.stringify(name)}`;
    super({
      reason: 'Forbidden',
      message: plural === '' ? `forbidden: ${why}` : `${named} is forbidden: ${why}`,
      retry: 'terminal',
    });
    this.about = about;
  }
}

/** Nothing new comes into a namespace that is being deleted. In Kubernetes' words. */
export class NamespaceTerminating extends Forbidden {
  readonly causes: { reason: string; message: string; field: string }[];

  constructor(about: About, namespace: string, name: string) {
    const { group, plural } = about;
    super(
      { ...(group === undefined ? {} : { group }), ...(plural === undefined ? {} : { plural }), name },
      `unable to create new content in namespace ${namespace} because it is being terminated`,
    );
    const message = `namespace ${namespace} is being terminated`;
    this.causes = [{ reason: 'NamespaceTerminating', message, field: 'metadata.namespace' }];
  }
}

/** Throws {@link Forbidden} when the user may not do it. `why`: what it would be done for, if that is not plain. */
export function authorize(access: Access, user: User, asked: Attributes, why = ''): void {
  const { allowed, reason } = access.decide(user, asked);
  if (!allowed) throw forbidden(user, asked, [why, reason].filter(Boolean).join(': '));
}

export function forbidden(user: User, asked: Attributes, reason = ''): Forbidden {
  const sentence = `${escaped(sentenceOf(user, asked))}${reason === '' ? '' : `: ${reason}`}`;
  if (isPath(asked)) return new Forbidden({}, sentence);
  const { group, resource, name } = asked;
  return new Forbidden({ group, plural: resource, name }, sentence);
}

function sentenceOf({ name }: User, asked: Attributes): string {
  const who = `User ${JSON.stringify(name)} cannot ${asked.verb}`;
  if (isPath(asked)) return `${who} path ${JSON.stringify(asked.path)}`;
  const { resource, subresource, group, namespace } = asked;
  const what = JSON.stringify(subresource === '' ? resource : `${resource}/${subresource}`);
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  return `${who} resource ${what} in API group ${JSON.stringify(group)} ${where}`;
}

/** Looks like no HTML, whatever was asked. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** What is asked of an object, with nothing where nothing was said. */
export function resourceAttributes(
  asked: Pick<ResourceAttributes, 'verb' | 'resource'> & Partial<ResourceAttributes>,
): ResourceAttributes {
  return { group: '', subresource: '', namespace: '', name: '', ...asked };
}
