/** The page's style sheet. Every colour on its background has a contrast of at least 4.5 to 1. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --text: #1b1f24; --quiet: #575e66; --line: #d5d9de; --link: #0b57b0; --card: #f5f6f8;
  --alarm: #a80f1d; --alarm-page: #fdeced; --warning: #7a4a00; --warning-page: #fdf3dd;
  --unknown: #4a4f8a; --unknown-page: #eeeffa; --fine: #0e6530; --fine-page: #eaf6ee;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171b; --text: #e8eaed; --quiet: #a4abb3; --line: #363c44; --link: #8ab8ff; --card: #1c2026;
    --alarm: #ff9a94; --alarm-page: #3a1619; --warning: #f5c46b; --warning-page: #332609;
    --unknown: #b9bdf5; --unknown-page: #22244a; --fine: #86d7a2; --fine-page: #12291b;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1rem; max-width: 100rem; background: var(--page); color: var(--text);
  font: 1rem/1.45 system-ui, sans-serif; overflow-wrap: break-word;
}
a { color: var(--link); }
.verdict { padding: 0.75rem 1.25rem; border-left: 0.5rem solid; border-radius: 0.25rem; }
.verdict.alarm { background: var(--alarm-page); border-color: var(--alarm); }
.verdict.warning { background: var(--warning-page); border-color: var(--warning); }
.verdict.unknown { background: var(--unknown-page); border-color: var(--unknown); }
.verdict.fine { background: var(--fine-page); border-color: var(--fine); }
.verdict p { margin: 0.25rem 0; }
.verdict .quiet { color: inherit; }
h1 { margin: 0.1rem 0 0.4rem; font-size: 1.6rem; line-height: 1.25; }
.verdict ul { margin: 0.25rem 0; padding-left: 1.25rem; }
.mark { white-space: nowrap; }
.mark.alarm { color: var(--alarm); font-weight: 700; }
.mark.warning { color: var(--warning); font-weight: 700; }
.mark.unknown { color: var(--unknown); }
.mark.fine { color: var(--fine); }
.mark.quiet, .quiet, small { color: var(--quiet); }
.marks { display: inline-flex; flex-wrap: wrap; gap: 0.1rem 1rem; }
.change { white-space: nowrap; }
small { font-size: 0.85em; }
section { margin-top: 1.5rem; overflow-x: auto; }
h2, caption { margin: 0; padding: 0.25rem 0; text-align: left; font-size: 1.1rem; font-weight: 700; }
table { width: 100%; border-collapse: collapse; font-size: 0.9rem; }
th, td { padding: 0.3rem 0.6rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th:first-child { padding-left: 0; }
thead th { color: var(--quiet); font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 600; }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; }
td.number { white-space: nowrap; }
time { font-variant-numeric: tabular-nums; white-space: nowrap; }
.old { border-left: 0.5rem dotted var(--unknown); padding-left: 0.75rem; }
footer { margin-top: 2rem; color: var(--quiet); display: flex; flex-wrap: wrap; gap: 0 2rem; }
@media (max-width: 60rem) {
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody, tr, caption { display: block; overflow-wrap: anywhere; }
  tr { margin-bottom: 0.75rem; padding: 0.4rem 0.75rem; background: var(--card); border-radius: 0.25rem; }
  tbody th { display: block; padding: 0.1rem 0; border: 0; font-size: 1.05rem; }
  td, td.number { display: flex; justify-content: space-between; gap: 1rem; padding: 0.1rem 0; border: 0; text-align: right; }
  td::before { content: attr(data-label); color: var(--quiet); text-align: left; flex: none; max-width: 45%; }
}
`;
