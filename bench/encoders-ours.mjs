// Our side of the encoder benchmark (see encoders.mjs): encoders-ours.mjs wavlm|roberta DIR THREADS DTYPE
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pLimit from 'p-limit';
import { DEFAULT_FEATURE_OPTIONS, findModelFiles, prepareModel } from '../packages/extract/dist/index.js';
import { startEncoder } from '../packages/extract/dist/run/extract-options.js';
import { groupByKey } from '../packages/extract/dist/run/group.js';

const [kind, folder, threads, dtype] = process.argv.slice(2);
const name = kind === 'wavlm' ? 'wavlm-large' : 'roberta-base';
const options = { ...DEFAULT_FEATURE_OPTIONS, compute: dtype };
const model = await prepareModel(name, findModelFiles(join(folder, name)), join(folder, 'models'), options);
const encoder = await startEncoder([model], { device: 'cpu', threads: Number(threads) });
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

const sizeOf = (batch) => batch.reduce((sum, { input }) => sum + input.length, 0);
/** As extraction does: texts in batches of equal length; recordings are encoded one by one on the CPU. */
const LIMIT = kind === 'wavlm' ? { rows: 8, length: 160_000 } : { rows: 32, length: 4096 };
async function encode(rows) {
  const out = [];
  const keyed = rows.map((input, i) => ({ input, i }));
  const lengthOf = ({ input }) => input.length;
  const batches = groupByKey(keyed, (row) => model.form.batchKey(lengthOf(row)), lengthOf, LIMIT);
  // A run ends once, a round here after some seconds: the longest first, so that all encoders end together.
  batches.sort((a, b) => sizeOf(b) - sizeOf(a));
  const limit = pLimit(2 + 2 * encoder.lanes);
  await Promise.all(
    batches.map((batch) =>
      limit(async () => {
        const inputs = batch.map(({ input }) => input);
        const [steps] = await encoder.encode(0, inputs, [0]);
        batch.forEach(({ i }, j) => (out[i] = steps[j].values));
      }),
    ),
  );
  return out;
}

/** This process and those of its encoders (Linux). */
const processes = () => [
  process.pid,
  ...readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean),
];
const peakOf = (pid) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
const peak = () => Math.round(processes().reduce((sum, pid) => sum + peakOf(pid), 0) / 1024);
/** Milliseconds; the kernel counts those of other processes in ticks of 10. */
const ticksOf = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
};
const cpuUsed = () => processes().reduce((sum, pid) => sum + ticksOf(pid), 0);
for await (const line of createInterface({ input: process.stdin })) {
  const [what, a, b] = line.split(' ');
  let answer = { mib: peak() };
  if (what === 'round') {
    const rows = inputs.filter((_, i) => i % Number(b) === Number(a));
    const wall = performance.now();
    const cpu = cpuUsed();
    await encode(rows);
    answer = {
      ms: performance.now() - wall,
      cpu: cpuUsed() - cpu,
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
