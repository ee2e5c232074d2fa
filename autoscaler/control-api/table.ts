/**
 * A table with what readers of any kind need: a caption, a heading for every column and every row.
 *
 * On a narrow screen the style turns each row into a card; the headings then come from `data-label`.
 */

import { type Html, type HtmlValue, html } from "./html.ts";
import { amount } from "./in-words.ts";

export interface Column {
  readonly heading: string;
  readonly numeric?: boolean;
}

export interface Table {
  readonly caption: string;
  /** The first column names the row. */
  readonly columns: readonly Column[];
  /** One value a column. */
  readonly rows: readonly (readonly HtmlValue[])[];
  /** Said instead of a table without rows. */
  readonly whenEmpty: string;
}

/** Longer tables are cut, and say so. */
const ROWS_MAX = 200;

export function renderTable({ caption, columns, rows, whenEmpty }: Table): Html {
  if (rows.length === 0) return html`<section><h2>${caption}</h2><p class="quiet">${whenEmpty}</p></section>`;
  const hidden = rows.length - ROWS_MAX;
  return html`<section><table>
<caption>${caption}</caption>
<thead><tr>${columns.map(({ heading, numeric }) => html`<th scope="col"${numberClass(numeric)}>${heading}</th>`)}</tr></thead>
<tbody>${rows.slice(0, ROWS_MAX).map((cells) => renderRow(cells, columns))}</tbody>
</table>${hidden > 0 ? html`<p class="quiet">${amount(hidden)} more, not shown.</p>` : null}</section>
`;
}

function renderRow(cells: readonly HtmlValue[], columns: readonly Column[]): Html {
  const [name, ...rest] = cells;
  const tds = rest.map((cell, index) => {
    const column = columns[index + 1];
    return html`<td data-label="${column?.heading}"${numberClass(column?.numeric)}><div>${cell}</div></td>`;
  });
  return html`<tr><th scope="row">${name}</th>${tds}</tr>
`;
}

function numberClass(numeric: boolean | undefined): Html | null {
  return numeric === true ? html` class="number"` : null;
}
