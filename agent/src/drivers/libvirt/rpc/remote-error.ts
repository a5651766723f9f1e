import { PlumbError } from '@plumb/schemas';
import { XdrReader } from './xdr.ts';

/** The numbers of libvirt's errors that mean something to us (virErrorNumber in virterror.h). */
export const libvirtError = {
  noSupport: 3,
  invalidArgument: 8,
  operationFailed: 9,
  xmlError: 27,
  noDomain: 42,
  operationInvalid: 55,
  configUnsupported: 67,
  operationTimeout: 68,
  noDomainMetadata: 80,
  operationUnsupported: 84,
} as const;

/** What libvirt answered instead of a result. */
export class LibvirtError extends PlumbError {
  /** virErrorNumber. */
  readonly code: number;
  /** libvirt's own words. */
  readonly detail: string;
  readonly procedure: string;

  constructor(code: number, message: string, procedure: string) {
    super({
      reason: reasonOf(code),
      message: `libvirt refused ${procedure}: ${message}`,
      retry: terminalCodes.has(code) ? 'terminal' : 'retry',
    });
    this.name = 'LibvirtError';
    this.code = code;
    this.detail = message;
    this.procedure = procedure;
  }
}

/** Errors that the same request meets again: its content is at fault. */
const terminalCodes: ReadonlySet<number> = new Set([
  libvirtError.noSupport,
  libvirtError.invalidArgument,
  libvirtError.xmlError,
  libvirtError.configUnsupported,
  libvirtError.operationUnsupported,
]);

function reasonOf(code: number): string {
  return terminalCodes.has(code) ? 'DefinitionRefused' : 'LibvirtFailed';
}

/** Reads the payload of a reply whose status is an error (remote_error). */
export function decodeError(payload: Buffer, procedure: string): LibvirtError {
  const xdr = new XdrReader(payload);
  const code = xdr.int();
  xdr.int(); // The part of libvirt that raised it.
  return new LibvirtError(code, xdr.optionalString() ?? `error ${code}`, procedure);
}

export function isLibvirtError(thrown: unknown, code: number): boolean {
  return thrown instanceof LibvirtError && thrown.code === code;
}
