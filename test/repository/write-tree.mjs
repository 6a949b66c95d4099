// Writes the tree block of ARCHITECTURE.md anew from what git tracks or would track: `npm run tree`.
// What stands behind `#`, and the folders that are folded as `folder/**`, stay as they are.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const PAGE = 'ARCHITECTURE.md';
const WIDTH = 116;
/** As in tree.test.ts: dot files of the tools need no line. */
const TOOL_FILES = /^(\.(gitignore|npmrc|oxlintrc\.json|oxfmtrc\.json)|package-lock\.json)$/;

const page = readFileSync(PAGE, 'utf8');
const block = /(<!-- tree -->\s*```\n)([\s\S]*?)(```)/.exec(page);
if (block === null) throw new Error(`${PAGE} has no tree block`);

const byCodeUnits = (a, b) => (a < b ? -1 : Number(a > b));

/** folder -> what stands behind `#`; and the order in which folders stand. */
const comments = new Map();
const folded = [];
for (const line of block[2].split('\n')) {
  const found = /^(\S+\/)(\*\*)?(?:\s+#\s*(.*))?$/.exec(line);
  if (found === null) continue;
  const [, name, stars, comment] = found;
  const folder = name === './' ? '' : name;
  if (stars !== undefined && !folded.includes(folder)) folded.push(folder);
  if (comment !== undefined || !comments.has(folder)) comments.set(folder, comment ?? '');
}

const files = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate'],
  {
    encoding: 'utf8',
  },
)
  .split('\n')
  .filter((file) => file !== '' && !TOOL_FILES.test(file) && existsSync(file));
const byFolder = new Map();
for (const file of files) {
  const fold = folded.find((folder) => file.startsWith(folder));
  const folder = fold ?? file.slice(0, file.lastIndexOf('/') + 1);
  if (!byFolder.has(folder)) byFolder.set(folder, new Set());
  if (fold === undefined) byFolder.get(folder).add(file.slice(folder.length).replace(/\.ts$/, ''));
}

/** Known folders keep their place; a new one stands behind its nearest relative. */
const order = [...comments.keys()].filter((folder) => byFolder.has(folder));
for (const folder of [...byFolder.keys()].filter((one) => !comments.has(one)).sort(byCodeUnits)) {
  const shared = (other) => {
    const [a, b] = [folder.split('/'), other.split('/')];
    let n = 0;
    while (n < a.length && n < b.length && a[n] === b[n]) n++;
    return n;
  };
  const most = Math.max(...order.map(shared));
  const relatives = order.filter((other) => shared(other) === most);
  const after = relatives.filter((other) => other < folder).at(-1) ?? relatives[0];
  order.splice(order.indexOf(after) + 1, 0, folder);
}

const lines = [];
for (const folder of order) {
  const comment = comments.get(folder);
  const name = `${folder === '' ? './' : folder}${folded.includes(folder) ? '**' : ''}`;
  lines.push(comment ? `${name}  # ${comment}` : name);
  let line = '   ';
  for (const word of [...byFolder.get(folder)].sort(byCodeUnits)) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '   ';
    }
    line += ` ${word}`;
  }
  if (line.trim() !== '') lines.push(line);
}
writeFileSync(
  PAGE,
  page.replace(block[0], () => `${block[1]}${lines.join('\n')}\n${block[3]}`),
);
