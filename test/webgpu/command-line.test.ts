import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateDemo, silent } from '@lsgmer/datasets';
import { parseEpochs } from '../../packages/train/src/record/run-state.ts';
import { WorkFolder } from '../end-to-end/command-line.ts';
import { DEVICE, SOFTWARE, TOLERANCE } from './device.ts';

const work = new WorkFolder();
afterAll(() => work.remove());

beforeAll(async () => {
  await generateDemo(work.path('corpus'), { reporter: silent });
  const built = await work.run('manifest', 'build', '--dataset', 'demo', '--root', work.path('corpus'));
  expect(built.code, built.err).toBe(0);
});

const extract = ['features', 'extract', '--dataset', 'demo', '--preset', 'tiny'];

/** A store of its own, with the manifest of the first one. */
const store = (name: string): string => `${work.path(name)}:${work.path('store')}`;

/** The losses of all epochs of the only run in a folder of runs. */
function losses(runs: string): number[] {
  const [task] = readdirSync(join(runs, 'demo'));
  const folder = join(runs, 'demo', task as string);
  const runFolder = readdirSync(folder).find((name) => existsSync(join(folder, name, 'metrics.jsonl')));
  const path = join(folder, runFolder as string, 'metrics.jsonl');
  return parseEpochs(readFileSync(path, 'utf8'), path).map(({ loss }) => loss);
}

describe(`the command line with --device ${DEVICE}`, () => {
  it('doctor names the adapter', async () => {
    const { code, out } = await work.run('doctor');
    expect(code).toBe(0);
    const line = out.split('\n').find((one) => one.startsWith(DEVICE));
    expect(line).toMatch(SOFTWARE ? /ok +works on llvmpipe .*--device auto leaves it alone/ : /ok +works/);
  });

  it('extracts and ends well', async () => {
    const some = ['--where', 'session=Ses01 and seconds<2.2'];
    const { code, err } = await work.run(...extract, ...some, '--device', DEVICE, '--store', store('gpu'));
    expect(code, err).toBe(0);
  });

  it('stops on Ctrl-C and goes on', async () => {
    const some = [...extract, '--where', 'session=Ses02 and seconds<2.4', '--device', DEVICE];
    const stopped = await work.stop('SIGINT', /random-tiny-wavlm.*rows/, ...some, '--store', store('gpu2'));
    expect(stopped.code, stopped.err).toBe(130);
    const again = await work.run(...some, '--store', store('gpu2'));
    expect(again.code, again.err).toBe(0);
  });

  it('a device that is not there is one line and exit code 2', async () => {
    const { code, err } = await work.run(...extract, '--device', 'cuda', '--store', store('none'));
    if (code === 0) return; // there is one
    expect(code).toBe(2);
    expect(err.trim().split('\n').at(-1)).toMatch(/device cuda is not available: .*; available: webgpu, cpu/);
  });

  it('trains as the CPU does', async () => {
    const extracted = await work.run(...extract, '--device', 'cpu');
    expect(extracted.code, extracted.err).toBe(0);
    const train = [
      'train',
      '--dataset',
      'demo',
      '--recipe',
      'demo',
      '--fold',
      '1',
      '--seeds',
      '1',
      '--ablation',
      'full',
    ];
    const found = [];
    for (const device of ['cpu', DEVICE]) {
      const runs = work.path(`runs-${device}`);
      const { code, err } = await work.run(
        ...train,
        '--set',
        'epochs=2',
        '--jobs',
        '1',
        '--device',
        device,
        '--runs',
        runs,
      );
      expect(code, err).toBe(0);
      found.push(losses(runs));
    }
    const [cpu, gpu] = found as [number[], number[]];
    const what = `losses on the CPU ${cpu.join(', ')}; on ${DEVICE} ${gpu.join(', ')}`;
    expect([cpu.length, gpu.length], what).toEqual([2, 2]);
    for (const [i, loss] of gpu.entries())
      expect(Math.abs(loss - (cpu[i] as number)), what).toBeLessThan(TOLERANCE);
  });
});
