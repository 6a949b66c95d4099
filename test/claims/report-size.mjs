// Builds a report over 5 folds x 5 seeds x 4 ablations of IEMOCAP's size, and ends with code 1 where it takes longer than
// two minutes, more than 1 GB, or the page is larger than 5 MB:
//
//   node test/claims/report-size.mjs [--keep FOLDER]        (after `make setup`)
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeRuns } from '../../packages/report/test/support/made-runs.mjs';

const { values } = parseArgs({ options: { keep: { type: 'string' } } });
const lsgmer = join(dirname(fileURLToPath(import.meta.url)), '../../packages/cli/dist/main.js');
const folder = values.keep ?? mkdtempSync(join(tmpdir(), 'lsgmer-report-size-'));
const card = JSON.parse(
  readFileSync(join(dirname(fileURLToPath(import.meta.url)), '../../manifests/iemocap.json'), 'utf8'),
);
const sizes = {
  runs: join(folder, 'runs'),
  store: join(folder, 'store'),
  dataset: 'iemocap',
  utterances: 5531,
  folds: 5,
  seeds: [1, 2, 3, 4, 5],
  variants: ['full', 'no-ma', 'no-joo', 'no-lsma-joo'],
  d: 256,
  tokens: 18,
  frames: 225,
  epochs: 50,
  textOf: (i) => `This is utterance number ${i} of the corpus and it has about as many words as usual.`,
  card: { synthetic: false, restricted: true, licence: card.licence, title: card.title },
};
let broken = 0;
const claim = (holds, text) => {
  console.log(`${holds ? 'holds ' : 'BROKEN'}  ${text}`);
  if (!holds) broken++;
};
try {
  console.log('making 100 runs of 5,531 predictions each ...');
  makeRuns(sizes);
  const started = performance.now();
  // the process writes its own peak, which a parent cannot see
  const peak = "process.on('exit', () => process.stderr.write(`PEAK ${process.resourceUsage().maxRSS}`))";
  const places = ['--store', sizes.store, '--runs', sizes.runs, '--out', join(folder, 'report')];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      '--import',
      `data:text/javascript,${encodeURIComponent(peak)}`,
      lsgmer,
      'report',
      '--dataset',
      'iemocap',
      '--json',
      ...places,
    ],
    { encoding: 'utf8', cwd: folder, maxBuffer: 1 << 26 },
  );
  if (status !== 0) throw new Error(stderr);
  const seconds = (performance.now() - started) / 1000;
  const written = JSON.parse(stdout);
  claim(seconds < 120, `built in ${seconds.toFixed(1)} s (under 120)`);
  const megabytes = Number(/PEAK (\d+)/.exec(stderr)?.[1]) / 1024;
  claim(megabytes < 1000, `peak of ${megabytes.toFixed(0)} MiB (under 1,000)`);
  claim(written.bytes < 5e6, `page of ${(written.bytes / 1e6).toFixed(2)} MB (under 5)`);
  claim(
    written.utterances === 5531,
    `${written.utterances} utterances in the explorer, ${written.tables} tables, ${written.figures} figures`,
  );
  claim(statSync(join(folder, 'report/data/index.js')).size < 5e6, 'index of the explorer under 5 MB');
} finally {
  if (values.keep === undefined) rmSync(folder, { recursive: true, force: true });
}
process.exit(broken === 0 ? 0 : 1);
