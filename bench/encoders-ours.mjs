// Our side of the encoder benchmark (see encoders.mjs): encoders-ours.mjs wavlm|roberta DIR THREADS DTYPE
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DEFAULT_FEATURE_OPTIONS, findModelFiles, prepareModel } from '../packages/extract/dist/index.js';
import { LocalEncoder } from '../packages/extract/dist/run/encoder.js';
import { groupByKey } from '../packages/extract/dist/run/group.js';

const [kind, folder, threads, dtype] = process.argv.slice(2);
const name = kind === 'wavlm' ? 'wavlm-large' : 'roberta-base';
const options = { ...DEFAULT_FEATURE_OPTIONS, compute: dtype };
const model = await prepareModel(name, findModelFiles(join(folder, name)), join(folder, 'models'), options);
const encoder = await LocalEncoder.start([model], { device: 'cpu', threads: Number(threads) });
const inputs =
  kind === 'wavlm'
    ? clips()
    : JSON.parse(readFileSync(join(folder, 'texts.json'), 'utf8')).map((ids) => Int32Array.from(ids));

function clips() {
  const lengths = JSON.parse(readFileSync(join(folder, 'clips.json'), 'utf8'));
  const { buffer } = Uint8Array.from(readFileSync(join(folder, 'clips.f32')));
  let at = 0;
  return lengths.map((length) => new Float32Array(buffer, 4 * (at += length) - 4 * length, length));
}

/** As extraction does: texts in batches of equal length; recordings go one by one on the CPU. */
const LIMIT = { rows: 32, length: 4096 };
async function encode(rows) {
  const out = [];
  const keyed = rows.map((input, i) => ({ input, i }));
  const lengthOf = ({ input }) => input.length;
  for (const batch of groupByKey(keyed, (row) => model.form.batchKey(lengthOf(row)), lengthOf, LIMIT)) {
    const [steps] = await encoder.encode(
      0,
      batch.map(({ input }) => input),
      [0],
    );
    batch.forEach(({ i }, j) => (out[i] = steps[j].values));
  }
  return out;
}

const peak = () =>
  Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1024);
for await (const line of createInterface({ input: process.stdin })) {
  const [what, a, b] = line.split(' ');
  let answer = { mib: peak() };
  if (what === 'round') {
    const rows = inputs.filter((_, i) => i % Number(b) === Number(a));
    const wall = performance.now();
    const cpu = process.cpuUsage();
    await encode(rows);
    const used = process.cpuUsage(cpu);
    answer = {
      ms: performance.now() - wall,
      cpu: (used.user + used.system) / 1000,
      units: rows.reduce((sum, row) => sum + row.length, 0),
    };
  } else if (what === 'outputs') {
    const out = await encode(inputs.slice(0, Number(a)));
    writeFileSync(
      join(folder, `${kind}.ours`),
      Buffer.concat(out.map((values) => new Uint8Array(values.buffer))),
    );
    answer = { rows: out.length };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await encoder.close();
