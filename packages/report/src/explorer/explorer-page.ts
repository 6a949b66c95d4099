import { escapeHtml, htmlPage } from '../page/html.ts';
import { BASE_STYLE } from '../page/style.ts';

/** Scripts and data beside the page, as a file or from the loopback server; no inline script, nothing from elsewhere. */
const POLICY =
  "default-src 'none'; script-src 'self' file:; style-src 'unsafe-inline'; connect-src 'self'; media-src 'self'; base-uri 'none'; form-action 'none'";

const STYLE = `${BASE_STYLE}
body { max-width: 100rem; }
form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; margin: .75rem 0; }
label { display: grid; font-size: .85rem; color: var(--soft); } fieldset { border: 0; padding: 0; margin: 0; }
input, select, button { font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--soft); border-radius: 4px; padding: .3rem .5rem; max-width: 100%; }
input[type=search] { width: 18rem; } button { cursor: pointer; } button:disabled { color: var(--soft); cursor: default; }
#panes { display: grid; grid-template-columns: minmax(18rem, 26rem) minmax(0, 1fr); gap: 1.5rem; align-items: start; }
#list { list-style: none; margin: 0; padding: 0; max-height: calc(100vh - 6rem); overflow-y: auto; border: 1px solid var(--line); }
#list [role=option] { padding: .35rem .6rem; border-bottom: 1px solid var(--line); cursor: pointer; overflow-wrap: anywhere; }
#list [aria-selected=true] { background: var(--low); box-shadow: inset 4px 0 0 var(--mark); color: var(--on-low); }
#list .id { font-weight: 600; } #list .words { color: var(--soft); font-size: .9rem; } #list [aria-selected=true] .words { color: var(--on-low); }
.right { color: var(--series-3); } .wrong { color: var(--series-2); font-weight: 600; }
#pager { display: flex; gap: .75rem; align-items: center; margin: .5rem 0; }
.words-row { display: grid; grid-template-columns: 9rem minmax(0, 1fr); gap: .75rem; align-items: start; padding: .3rem 0; border-bottom: 1px solid var(--line); }
.name { font-size: .9rem; overflow-wrap: anywhere; } .name small { color: var(--soft); display: block; }
.token { display: inline-block; vertical-align: top; white-space: pre; }
.token .bar { display: block; height: 20px; position: relative; border-bottom: 1px solid var(--line); }
.token .bar i { position: absolute; left: 1px; right: 1px; bottom: 0; background: var(--mark); }
.token.special { color: var(--soft); font-size: .8rem; }
.lane { width: 100%; height: 34px; display: block; } .lane.wave { height: 72px; } .lane path { fill: var(--mark); stroke: none; } .lane.wave path { fill: var(--soft); }
.lanes { position: relative; } .lanes .head { position: absolute; top: 0; bottom: 0; width: 2px; background: var(--warn); pointer-events: none; }
.lane-row { display: grid; grid-template-columns: 9rem minmax(0, 1fr); gap: .75rem; align-items: center; border-bottom: 1px solid var(--line); }
audio { width: 100%; margin: .5rem 0; }
@media (max-width: 52rem) { #panes { grid-template-columns: minmax(0, 1fr); } #list { max-height: 40vh; } .words-row, .lane-row { grid-template-columns: minmax(0, 1fr); gap: 0; } }
@media print { form, #pager, #list { display: none; } #panes { display: block; } }
`;

/** The explorer's page; `explorer.js` fills it. */
export function explorerPage(title: string, report: string): string {
  return htmlPage({
    title: `${title}: utterances`,
    style: STYLE,
    policy: POLICY,
    body: `<header>
<h1>${escapeHtml(title)}: utterances</h1>
<p><a href="${escapeHtml(report)}">Back to tables and figures</a></p>
<div id="notices"></div>
</header>
<noscript><p class="notice">The explorer needs JavaScript; tables and figures do not.</p></noscript>
<form id="filters" aria-label="Search and filter"></form>
<div id="panes">
<div>
<p id="count" role="status" aria-live="polite"></p>
<ul id="list" role="listbox" tabindex="0" aria-label="Utterances"></ul>
<div id="pager"></div>
<p class="soft">Arrow keys, Page Up and Down, Home and End move in the list; Enter goes to the utterance.</p>
</div>
<main id="detail" tabindex="-1"></main>
</div>
<script src="explorer.js"></script>`,
  });
}
