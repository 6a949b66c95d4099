// Shows that a run with nothing left to do ends soon: a corpus of MELD's size (13,708 utterances), all three features there.
//
//   node test/claims/extract-idle.mjs [--rows 13708] [--limit 2]         (after `make setup`; a few minutes, once)
//
// - `features extract` ends within the limit, start of the process included: the median of five
// - so it does where the manifest hashed no media: their digests come from the cache (first run aside)
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { encodeWav } from '../../packages/datasets/dist/index.js';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '13708' },
    limit: { type: 'string', default: '2' },
    folder: { type: 'string' },
  },
});
const lsgmer = join(dirname(fileURLToPath(import.meta.url)), '../../packages/cli/dist/main.js');
const rows = Number(values.rows);
// kept for the next time, and one for each size: a corpus that is there is not made again
const folder = values.folder ?? join(tmpdir(), `lsgmer-claims-idle-${rows}`);
let broken = 0;
const claim = (holds, text) => {
  console.log(`${holds ? 'holds ' : 'BROKEN'}  ${text}`);
  if (!holds) broken++;
};
const run = (...args) =>
  execFileSync(process.execPath, [lsgmer, ...args], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });

for (const media of ['hash', 'none']) {
  const dataset = `idle-${media}`;
  makeCorpus(join(folder, dataset));
  const extract = [
    'features',
    'extract',
    '--dataset',
    dataset,
    '--preset',
    'tiny',
    '--device',
    'cpu',
    '--quiet',
  ];
  if (!existsSync(join(folder, 'store', dataset, 'manifest.json')))
    run(
      'manifest',
      'build',
      '--dataset',
      dataset,
      '--root',
      join(folder, dataset, 'data.tsv'),
      '--media',
      media,
      '--quiet',
    );
  run(...extract);
  const seconds = Array.from({ length: 5 }, () => {
    const before = performance.now();
    const { sets } = JSON.parse(run(...extract, '--json'));
    const took = (performance.now() - before) / 1000;
    if (sets.some(({ computed, done }) => computed !== 0 || done !== rows))
      throw new Error('something was left to do');
    return took;
  }).sort((a, b) => a - b);
  claim(
    seconds[2] < Number(values.limit),
    `${rows} utterances, media ${media === 'hash' ? 'hashed by the manifest' : 'not hashed'}: ${seconds.map((s) => s.toFixed(2)).join(' ')} s`,
  );
}
process.exit(broken === 0 ? 0 : 1);

/** Clips of 0.1 s, each of its own: what they hold does not matter here. */
function makeCorpus(root) {
  if (existsSync(join(root, 'data.tsv'))) return;
  mkdirSync(join(root, 'clips'), { recursive: true });
  const lines = ['id\taudio\ttext\tlabel\tspeaker\tsplit'];
  for (let i = 0; i < rows; i++) {
    const samples = Float32Array.from(
      { length: 1600 },
      (_, t) => 0.3 * Math.sin((t * (20 + (i % 97))) / 400 + i),
    );
    writeFileSync(join(root, 'clips', `u${i}.wav`), encodeWav(samples, 16_000));
    const split = ['train', 'train', 'train', 'dev', 'test'][i % 5];
    lines.push(
      `u${i}\tclips/u${i}.wav\tthis is utterance number ${i} of them\tl${i % 7}\ts${i % 11}\t${split}`,
    );
  }
  writeFileSync(join(root, 'data.tsv'), `${lines.join('\n')}\n`);
}
