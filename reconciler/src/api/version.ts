/** `/version`, in the form that Kubernetes' clients read. */
import manifest from '../../package.json' with { type: 'json' };

/** The version of Kubernetes' API whose conventions are served: clients derive what they may ask for. */
const CONVENTIONS = { major: '1', minor: '32' };

export function versionInfo(): Record<string, string> {
  return {
    ...CONVENTIONS,
    gitVersion: `v${CONVENTIONS.major}.${CONVENTIONS.minor}.0+plumb-${manifest.version}`,
    gitCommit: '',
    gitTreeState: '',
    buildDate: '',
    goVersion: '',
    compiler: '',
    platform: `${process.platform}/${process.arch}`,
  };
}
