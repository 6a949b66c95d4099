// Encoders at full size against transformers on PyTorch, interleaved: speed, largest difference, memory.
//
//   PYTHON=.venv/bin/python node bench/encoders.mjs [--kind wavlm,roberta] [--clips 200] [--texts 2560] [--rounds 5]
//       [--threads 1] [--dtype fp32|fp16|int8] [--folder /tmp/lsgmer-encoders] [--meld ../shared/data/meld]
//
// Random checkpoints (1.8 GB) are written to the folder by transformers itself, and go through the same door as pretrained
// ones. Clips are noise with the lengths of MELD's utterances, taken from its CSV files; texts are MELD's. A run finds texts of equal
// length among 1,024: rounds of much fewer say less of it.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Rng } from '../packages/datasets/dist/index.js';
import { TextTokenizer } from '../packages/extract/dist/index.js';
import { median, startSide } from './sides.mjs';

const { values } = parseArgs({
  options: {
    kind: { type: 'string', default: 'wavlm,roberta' },
    clips: { type: 'string', default: '200' },
    texts: { type: 'string', default: '2560' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: '1' },
    dtype: { type: 'string', default: 'fp32' },
    folder: { type: 'string', default: join(tmpdir(), 'lsgmer-encoders') },
    meld: { type: 'string', default: '../shared/data/meld' },
    tokenizer: { type: 'string', default: '../shared/data/tokenizer_roberta/tokenizer.json' },
    python: { type: 'string', default: process.env.PYTHON ?? 'python3' },
  },
});
const { folder, threads, dtype } = values;
mkdirSync(folder, { recursive: true });
const lastFile = join(folder, 'wavlm-large', 'preprocessor_config.json');
if (!existsSync(lastFile))
  execFileSync(values.python, ['bench/encoders-peer.py', 'make', folder], { stdio: 'inherit' });
writeFileSync(join(folder, 'roberta-base', 'tokenizer.json'), readFileSync(values.tokenizer));
writeInputs();

/** Lengths and texts of MELD's utterances, in a seeded order. */
function writeInputs() {
  const rng = new Rng('bench encoders');
  const lines = ['train', 'dev', 'test'].flatMap((split) =>
    readFileSync(join(values.meld, `${split}_sent_emo.csv`), 'utf8')
      .split(/\r?\n/)
      .slice(1)
      .filter((line) => line !== ''),
  );
  rng.shuffle(lines);
  const seconds = lines
    .map((line) =>
      [...line.matchAll(/"?(\d+):(\d\d):(\d\d),(\d{3})"?/g)]
        .slice(-2)
        .map(([, h, m, s, ms]) => 3600 * h + 60 * m + Number(s) + ms / 1000),
    )
    .map(([from, to]) => to - from)
    .filter((length) => length > 0.05 && length < 35);
  const lengths = seconds.slice(0, Number(values.clips)).map((length) => Math.round(length * 16_000));
  const samples = new Float32Array(lengths.reduce((sum, length) => sum + length, 0));
  for (let i = 0; i < samples.length; i++) samples[i] = 0.4 * (rng.uniform() - 0.5);
  writeFileSync(join(folder, 'clips.json'), JSON.stringify(lengths));
  writeFileSync(join(folder, 'clips.f32'), new Uint8Array(samples.buffer));
  const tokenizer = TextTokenizer.read(values.tokenizer, 512);
  const texts = lines
    .slice(0, Number(values.texts))
    .map((line) => /^\d+,(?:"((?:[^"]|"")*)"|([^,]*)),/.exec(line) ?? []);
  writeFileSync(
    join(folder, 'texts.json'),
    JSON.stringify(
      texts.map(([, quoted, bare]) => [
        ...tokenizer.encode((quoted ?? bare ?? '').replaceAll('""', '"')).ids,
      ]),
    ),
  );
}

const floats = (file) => new Float32Array(Uint8Array.from(readFileSync(join(folder, file))).buffer);

for (const kind of values.kind.split(',')) {
  const sides = [
    { name: 'transformers', command: [values.python, 'bench/encoders-peer.py', kind, folder, threads] },
    { name: `lsgmer ${dtype}`, command: ['node', 'bench/encoders-ours.mjs', kind, folder, threads, dtype] },
  ].map(startSide);
  for (const side of sides) await side.ask('outputs 6');
  const [a, b] = [floats(`${kind}.peer`), floats(`${kind}.ours`)];
  let worst = a.length === b.length ? 0 : NaN;
  let dot = 0;
  let [aa, bb] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    worst = Math.max(worst, Math.abs(a[i] - b[i]));
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  console.log(
    `${kind}: largest difference ${worst.toExponential(1)}, cosine ${(dot / Math.sqrt(aa * bb)).toFixed(6)}`,
  );
  const rounds = Number(values.rounds);
  const figures = sides.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, side] of sides.entries()) figures[i].push(await side.ask(`round ${round} ${rounds}`));
  }
  const ratios = (key) =>
    median(figures[0].map((peer, round) => peer[key] / figures[1][round][key])).toFixed(2);
  for (const [i, side] of sides.entries()) {
    const units = figures[i].reduce((sum, one) => sum + one.units, 0);
    const speed = (key) =>
      ((units / figures[i].reduce((sum, one) => sum + one[key], 0)) * 1000) / (kind === 'wavlm' ? 16_000 : 1);
    const { mib } = await side.ask('memory');
    const unit = kind === 'wavlm' ? 'audio seconds' : 'tokens';
    console.log(
      `  ${side.name.padEnd(16)} ${speed('ms').toFixed(2)} ${unit} a second, ${speed('cpu').toFixed(2)} a CPU second, peak ${mib} MiB`,
    );
    side.end();
  }
  console.log(
    `  lsgmer is ${ratios('ms')} times as fast (CPU time: ${ratios('cpu')}), ${threads} threads, ${rounds} interleaved rounds`,
  );
}
