/** The order in which vitest begins with files of unit tests: the longest first, so that none of them is left for the end. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const LONGEST = [
  'sim/src/matrix/matrix.test.ts',
  'sim/src/workload/workload.test.ts',
  'sim/src/workload/api-model.test.ts',
  'reconciler/src/deadly.test.ts',
  'sim/src/fuzz/fuzz.test.ts',
  'reconciler/src/api/mistakes.test.ts',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.findIndex((path) => moduleId.endsWith(path));
      return at < 0 ? LONGEST.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
