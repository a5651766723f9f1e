/** Nobody is heard on a stream before a host of it has shown its credential: what is read until then is bounded. */
import type { Clock } from '@plumb/schemas';
import { type PlumbError, terminal } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import type { FrameCall, Heard } from './frame-call.ts';
import { CallFailure } from './grpc/call-failure.ts';

export interface GateOptions {
  clock: Clock;
  limits: Pick<ServerLimits, 'attachAttempts' | 'credentialSeconds'>;
  /** Whether the credential is the host's own. */
  isCredentialOf(host: string, credential: string): Promise<boolean>;
}

/**
 * Resolves with what was said with the credential, which is to be heard first; undefined when nobody may be heard, and the
 * call was ended. Never rejects.
 */
export async function passGate(call: FrameCall, options: GateOptions): Promise<Heard | undefined> {
  const { clock, limits } = options;
  const refuse = (thrown: unknown) => {
    call.peer.refused();
    call.fail(CallFailure.from(thrown, 'the stream'));
    return undefined;
  };
  const late = clock.after(limits.credentialSeconds * 1000, () =>
    refuse(terminal('NoCredential', 'no host has shown its credential in time')),
  );
  try {
    const { bearer } = call.facts;
    if (bearer === undefined) return await firstAttach(call, options);
    if (!(await options.isCredentialOf(bearer.host, bearer.credential))) throw unknownCredential(bearer.host);
    call.peer.identified(bearer.host);
    return [];
  } catch (thrown) {
    return refuse(thrown);
  } finally {
    late();
  }
}

/** An agent of protocol 1: its first frame holds Attach alone, and says by itself who it is. */
async function firstAttach(call: FrameCall, { limits, isCredentialOf }: GateOptions): Promise<Heard | undefined> {
  for (let attempt = 1; ; attempt++) {
    const heard = await call.first();
    if (heard === undefined) return undefined;
    const [first] = heard;
    if (first?.body !== 'attach' || !heard.every(({ body }) => body === 'attach'))
      throw terminal('InvalidCall', 'the first message of a stream is the Attach of its host');
    if (await isCredentialOf(first.host, first.attach.credential)) {
      call.peer.identified(first.host);
      return heard;
    }
    const { reason, message } = unknownCredential(first.host);
    if (attempt >= limits.attachAttempts) throw terminal(reason, message);
    call.peer.refused();
    // Its agent joins anew with another credential, and attaches on the same stream.
    call.write({ messages: [{ host: first.host, body: 'refused', refused: { reason, message, terminal: false } }] });
  }
}

function unknownCredential(host: string): PlumbError {
  return terminal('UnknownCredential', `the credential is not that of a host named ${host}: join first`);
}
