/** `POST /apis/plumb.dev/v1/fences`: a person's word that a host is off. */
import { terminal } from '@plumb/schemas';
import type { Extension } from '../api/extension.ts';
import type { Context } from '../controllers/controller.ts';
import { fenceHost } from '../controllers/host/fence.ts';

export function fenceExtension(context: Context): Extension {
  return {
    method: 'POST',
    path: '/apis/plumb.dev/v1/fences',
    async handle(request) {
      const { host, confirmedOff } = ((await request.json()) ?? {}) as Record<string, unknown>;
      if (typeof host !== 'string') throw terminal('BadRequest', 'say which host');
      if (confirmedOff !== true)
        throw terminal('BadRequest', `whoever fences host ${host} confirms that it is off: confirmedOff must be true`);
      const { instances } = await fenceHost(context, host, request.user.name);
      return { body: { apiVersion: 'plumb.dev/v1', kind: 'Fence', metadata: { name: host }, instances } };
    },
  };
}
