import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

it('leaves no reports of onnxruntime behind', () => {
  const home = mkdtempSync(join(tmpdir(), 'lsgmer-home-'));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const temporary = join(home, 'tmp');
  mkdirSync(temporary);
  const index = new URL('../dist/index.js', import.meta.url).href;
  const script = `
    const { createSession, trace, tf } = await import(${JSON.stringify(index)});
    const { bytes } = trace([{ name: 'x', shape: [2], dtype: 'float32' }], ({ x }) => ({ y: tf.add(x, x) }));
    const session = await createSession(bytes, { device: 'cpu' });
    const { y } = await session.run({ x: { data: Float32Array.of(1, 2), shape: [2] } });
    console.log(y.data.join());
    await session.release();
    await new Promise((done) => setTimeout(done, 300));`;
  const { ORT_DISABLE_TELEMETRY: _, XDG_CACHE_HOME: __, ...inherited } = process.env;
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...inherited, HOME: home, TMPDIR: temporary },
    encoding: 'utf8',
  });
  expect(printed).toBe('2,4\n');
  expect(readdirSync(home, { recursive: true, encoding: 'utf8' })).toEqual(['tmp']);
});
