/** Says what is being done, how long it took, and what to do when it fails. Shared by start, test and bench. */

export interface Step {
  /** What came of it, shown behind the title in the end. */
  note(text: string): void;
  /** One line of progress, shown at once below the title. */
  line(text: string): void;
}

export interface Output {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
}

/** A step failed and has been reported: whoever catches it at the top only has to end. */
export class StepFailed extends Error {
  constructor(title: string, cause: unknown) {
    super(`${title} failed`, { cause });
    this.name = 'StepFailed';
  }
}

const TITLE_WIDTH = 26;

export class Steps {
  readonly #out: Output;
  readonly #now: () => number;
  #shown: string | undefined;

  /** `now` in milliseconds. */
  constructor(out: Output = process.stdout, now: () => number = () => performance.now()) {
    this.#out = out;
    this.#now = now;
  }

  /**
   * Runs one step. `advice` is what a person does when it fails. What the step throws is shown with it, and comes out
   * as the cause of {@link StepFailed}. Several may run at the same time.
   */
  async run<T>(title: string, advice: string, body: (step: Step) => Promise<T>): Promise<T> {
    const started = this.#now();
    const head = title.padEnd(TITLE_WIDTH);
    let note = '';
    this.#show(title);
    const step: Step = {
      note: (text) => {
        note = text;
      },
      line: (text) => {
        if (this.#shown !== undefined) this.#out.write('\n');
        this.#shown = undefined;
        this.#out.write(`    ${text}\n`);
      },
    };
    const finish = (mark: string) => {
      const duration = seconds(this.#now() - started);
      this.#say(`${mark} ${head} ${duration}${note ? `  ${note}` : ''}\n`);
    };
    try {
      const result = await body(step);
      finish('✓');
      return result;
    } catch (error) {
      finish('✗');
      this.#out.write(`${indented(sentence(error))}\n    What to do: ${advice}\n`);
      throw new StepFailed(title, error);
    }
  }

  /** A line of its own between the steps. */
  say(text: string): void {
    this.#say(`${text}\n`);
  }

  /** On a terminal the title of the step that began last stands in the last line until something else is said. */
  #show(title: string): void {
    if (this.#out.isTTY !== true) return;
    this.#say(`· ${title} …`);
    this.#shown = title;
  }

  #say(text: string): void {
    this.#out.write(`${this.#shown === undefined ? '' : '\r\x1b[2K'}${text}`);
    this.#shown = undefined;
  }
}

/** `12.3 s`, seven characters wide. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1).padStart(5)} s`;
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function indented(text: string): string {
  return text.replace(/^/gm, '    ');
}
