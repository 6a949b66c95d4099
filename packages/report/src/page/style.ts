import { DARK, LIGHT, paletteVariables } from './palette.ts';

/** Colours follow the reader's system; print is always light. */
export const COLOURS = `
:root { color-scheme: light dark; ${paletteVariables(LIGHT)} }
@media screen and (prefers-color-scheme: dark) { :root { ${paletteVariables(DARK)} } }
@media print { :root { color-scheme: light; } }
`;

/** What all pages share: text, tables, figures. */
export const BASE_STYLE = `${COLOURS}
* { box-sizing: border-box; }
body { background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
p { margin: .25rem 0 .75rem; max-width: 70ch; } .soft { color: var(--soft); }
a { color: var(--mark); } :focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
svg { color: var(--ink); --plot-background: var(--paper); max-width: 100%; height: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .4rem; max-width: min(70ch, calc(100vw - 3rem)); position: sticky; left: 0; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .6rem; text-align: right; vertical-align: top; }
td, tbody th { white-space: nowrap; } td.long { white-space: normal; } th.text, td.text { text-align: left; } td.long { min-width: 14rem; overflow-wrap: anywhere; }
thead th { color: var(--soft); font-weight: 600; border-bottom: 2px solid var(--line); }
tbody th { font-weight: 600; }
figure { margin: 1rem 0 .5rem; } h4 { margin: .5rem 0 .25rem; font-size: .95rem; }
figcaption { margin-top: .4rem; color: var(--soft); font-size: .9rem; max-width: 75ch; }
.scroll { overflow-x: auto; margin: .75rem 0; }
.notice { background: var(--warn-paper); border-left: 4px solid var(--warn); padding: .5rem .75rem; margin: .5rem 0; }
.notice p, .notice ul { margin: 0; max-width: none; } .notice ul, ul.notice { padding-left: 1.6rem; }
.notes { color: var(--soft); font-size: .9rem; margin: .25rem 0 .75rem; padding-left: 1.2rem; max-width: 75ch; }
.files { font-size: .85rem; color: var(--soft); }
`;

/** The report: contents, rows of several kinds, figures side by side. */
export const REPORT_STYLE = `${BASE_STYLE}
nav ol { columns: 15rem; padding-left: 1.2rem; margin: .5rem 0; }
tr.published th, tr.published td { color: var(--soft); font-weight: 400; }
tr.oracle th, tr.oracle td { font-style: italic; } tr.broken th, tr.broken td { color: var(--warn); font-weight: 400; }
tr.ours.headline th, tr.ours.headline td { font-weight: 600; }
.pair { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); align-items: start; }
@media print {
  body { max-width: none; padding: 0; font-size: 10.5pt; } nav, .files { display: none; }
  h2 { break-after: avoid; } h3, caption { break-after: avoid; } figure, tr { break-inside: avoid; } .scroll { overflow: visible; }
  td.long { min-width: 8rem; } tbody th { white-space: normal; overflow-wrap: anywhere; }
  .pair { grid-template-columns: 1fr 1fr; } .pair > div { break-inside: avoid; } th, td { padding: .15rem .35rem; font-size: 9pt; } a { color: inherit; text-decoration: none; }
  .notice { border: 1px solid #8a3b00; border-left-width: 4px; }
  @page { margin: 15mm; }
}
`;
