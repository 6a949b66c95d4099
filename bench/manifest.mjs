// Times the reading of a MELD-sized corpus: 13,708 rows, with and without the headers of its clips.
//
//   npm run build && node bench/manifest.mjs [--clip FILE.mp4] [--rounds 3]
//
// Builds a tree of MELD's layout in a temporary folder: the real annotations (../shared/data/meld) or invented ones, and
// one clip hard-linked 13,708 times (5.1 at 48 kHz: ../shared/data/audio_fixtures, or --clip). Hard links share their
// bytes, so the disk's cache is warm and the figures are those of the code. Each figure is of a process of its own.
import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    clip: {
      type: 'string',
      default: repository('../shared/data/audio_fixtures/lhotse/big_buck_bunny_small.mp4'),
    },
    rounds: { type: 'string', default: '3' },
  },
});

const SPLITS = {
  train: { rows: 9989, table: 'train/train_sent_emo.csv', clips: 'train/train_splits' },
  dev: { rows: 1109, table: 'dev_sent_emo.csv', clips: 'dev/dev_splits_complete' },
  test: { rows: 2610, table: 'test_sent_emo.csv', clips: 'test/output_repeated_splits_test' },
};
const COLUMNS =
  'Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime';

function repository(path) {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

function tableOf(split) {
  const real = repository(`../shared/data/meld/${split}_sent_emo.csv`);
  if (existsSync(real)) return readFileSync(real, 'utf8');
  const time = (s) =>
    `"00:${String(Math.floor(s / 60)).padStart(2, '0')}:${String(s % 60).padStart(2, '0')},000"`;
  const rows = Array.from({ length: SPLITS[split].rows }, (_, i) => {
    const [dialogue, turn] = [Math.floor(i / 10), i % 10];
    const cells = [
      i + 1,
      `Line ${i} of an invented scene in ${split}.`,
      `Speaker ${i % 7}`,
      'neutral',
      'neutral',
    ];
    return [...cells, dialogue, turn, 1, dialogue, time(5 * turn), time(5 * turn + 5)].join(',');
  });
  return `${[COLUMNS, ...rows].join('\r\n')}\r\n`;
}

function makeTree(root, clip) {
  const original = join(root, 'clip.bin');
  writeFileSync(original, readFileSync(clip));
  for (const [split, { table, clips }] of Object.entries(SPLITS)) {
    mkdirSync(join(root, clips), { recursive: true });
    const text = tableOf(split);
    writeFileSync(join(root, table), text);
    for (const [, dialogue, turn] of text.matchAll(
      /,(\d+),(\d+),\d+,\d+,"?\d+:\d\d:\d\d,\d+"?,"?\d+:\d\d:\d\d,\d+"?\r?\n/g,
    )) {
      linkSync(original, join(root, clips, `dia${dialogue}_utt${turn}.mp4`));
    }
  }
}

/** One measurement, in this process. */
async function measure(root, store, media) {
  const { buildManifest, loadCard, silent, validateManifest } =
    await import('../packages/datasets/dist/index.js');
  const started = performance.now();
  const cpu = process.cpuUsage();
  const card = loadCard(repository('manifests/meld.json'));
  const built = await buildManifest({
    dataset: 'meld',
    root,
    card,
    media,
    store,
    tool: 'bench',
    reporter: silent,
  });
  const read = performance.now();
  const findings = validateManifest(built);
  const done = performance.now();
  const { user, system } = process.cpuUsage(cpu);
  const withHeader = built.utterances.filter((row) => row.media?.seconds != null).length;
  const result = {
    rows: built.utterances.length,
    withHeader,
    unchanged: built.unchangedMedia,
    build: Math.round(read - started),
    validate: Math.round(done - read),
    // over all threads: what it would take on an idle machine at most
    cpu: Math.round((user + system) / 1000),
    errors: findings.filter((one) => one.level === 'error').length,
    peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
  };
  console.log(JSON.stringify(result));
}

if (positionals[0] === 'measure') {
  await measure(...positionals.slice(1));
} else {
  if (!existsSync(values.clip)) {
    console.error(`bench: no clip at ${values.clip}: name one with --clip FILE.mp4`);
    process.exit(2);
  }
  const folder = mkdtempSync(join(tmpdir(), 'lsgmer-bench-'));
  try {
    const root = join(folder, 'MELD.Raw');
    mkdirSync(root);
    makeTree(root, values.clip);
    for (let round = 1; round <= Number(values.rounds); round++) {
      for (const [name, media, fresh] of [
        ['no media', 'none', true],
        ['headers', 'headers', true],
        ['headers, unchanged', 'headers', false],
        ['hash', 'hash', true],
        ['hash, unchanged', 'hash', false],
      ]) {
        const store = join(folder, `store-${media}-${round}`);
        if (fresh) rmSync(store, { recursive: true, force: true });
        const command = [fileURLToPath(import.meta.url), 'measure', root, store, media];
        const line = execFileSync(process.execPath, command, { encoding: 'utf8' });
        console.log(`round ${round}  ${name.padEnd(20)} ${line.trim()}`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
