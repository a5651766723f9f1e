/** `plumb get -w`: what is there, and every change, until interrupted, whatever becomes of the server meanwhile. */
import type { Body } from '@plumb/client/client.ts';
import { changes, type View } from '@plumb/client/follow.ts';
import type { PlumbError } from '@plumb/schemas/meta/error.ts';
import type { Session } from './command.ts';
import { render } from './render.ts';
import type { Surroundings } from './surroundings.ts';
import { printable, renderTable } from './table.ts';
import { type Form, isTabular, rowsOf, TABLE } from './view.ts';

export interface Watched {
  view: View;
  form: Form;
  /** Whether the namespace is a column. */
  withNamespace: boolean;
  /** What names of objects are written behind: `zone`. */
  singular: string;
}

export async function watchObjects(
  session: Session,
  surroundings: Surroundings,
  { view, form, withNamespace, singular }: Watched,
): Promise<number> {
  let told = false;
  const broken = ({ message }: PlumbError) => {
    if (!told) surroundings.err(`${message}; goes on when it can\n`);
    told = true;
  };
  const lines = new Lines(form, withNamespace);
  const asked = { ...view, ...(isTabular(form) ? { accept: TABLE } : {}), broken };
  for await (const change of changes(session.client, asked, new AbortController().signal)) {
    told = false;
    if (!('object' in change)) continue;
    const { type, object } = change;
    const gone = type === 'DELETED';
    if (isTabular(form)) surroundings.out(lines.of(object, gone));
    else {
      const name = `${singular}/${printable(object.metadata.name)}`;
      if (form === 'name') surroundings.out(`${name}${gone ? ' deleted' : ''}\n`);
      else {
        surroundings.out(`${form === 'yaml' ? '---\n' : ''}${await render(object, form as 'yaml' | 'json')}`);
        // Beside the objects, which programs read.
        if (gone) surroundings.err(`${name} deleted\n`);
      }
    }
  }
  return 0;
}

/** Rows as they come, one below the other. */
class Lines {
  readonly #form: Form;
  readonly #withNamespace: boolean;
  /** They may stand in the first table of a watch only, as with Kubernetes. */
  #columns: Body[] = [];
  #widths: number[] = [];

  constructor(form: Form, withNamespace: boolean) {
    this.#form = form;
    this.#withNamespace = withNamespace;
  }

  of(table: Body, gone: boolean): string {
    const isFirst = this.#columns.length === 0;
    if (table.columnDefinitions?.length) this.#columns = table.columnDefinitions;
    const { header, rows } = rowsOf({ ...table, columnDefinitions: this.#columns }, this.#form, this.#withNamespace);
    const shown = gone ? rows.map((row) => [...row.slice(0, this.#withNamespace ? 2 : 1), 'deleted']) : rows;
    const text = renderTable(header, shown, this.#widths);
    return isFirst && header.length > 0 ? text : text.slice(text.indexOf('\n') + 1);
  }
}
