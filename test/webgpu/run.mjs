// Encoders, training step and command line on a GPU against the CPU: `make test-webgpu`.
//
// Without arguments on Mesa's software Vulkan driver, which any Linux machine can run: the installed one where it is new
// enough, else Debian's packages, unpacked into a cache folder (see mesa.mjs). `--device webgpu` or `--device cuda` runs the same
// tests on the machine's own GPU; `-- COMMAND ...` runs another command in the driver's environment instead. Where neither can be had, this says why and ends well.
import { spawn, spawnSync } from 'node:child_process';
import { softwareVulkan } from './mesa.mjs';

const args = process.argv.slice(2);
const dashes = args.indexOf('--');
const [, ...other] = dashes < 0 ? [] : args.splice(dashes);
const at = args.indexOf('--device');
const [, own] = at < 0 ? [] : args.splice(at, 2);
if (at >= 0 && own !== 'webgpu' && own !== 'cuda') {
  console.error(`--device ${own ?? ''}: expected webgpu or cuda`);
  process.exit(2);
}

const found =
  own === undefined
    ? softwareVulkan((line) => console.log(line))
    : { env: {}, source: `this machine's ${own}` };
if ('reason' in found) {
  console.log(`skipped: ${found.reason}`);
  process.exit(0);
}
const env = {
  ...process.env,
  ...found.env,
  LSGMER_TEST_DEVICE: own ?? 'webgpu',
  ...(own === undefined ? { LSGMER_TEST_SOFTWARE: '1' } : {}),
};
console.log(`running on ${found.source}`);
const doctor = spawnSync(process.execPath, ['packages/cli/dist/main.js', 'doctor', '--json'], {
  env,
  encoding: 'utf8',
});
const line = JSON.parse(doctor.stdout).lines.find(({ what }) => what === env.LSGMER_TEST_DEVICE);
console.log(`${line.what}: ${line.detail}`);
if (line.state !== 'ok') process.exit(1);

const tests = ['npx', 'vitest', 'run', '--config', 'test/webgpu/vitest.config.ts', ...args];
const [command, ...rest] = other.length > 0 ? other : tests;
const child = spawn(command, rest, { stdio: 'inherit', env });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
child.on('exit', (code) => process.exit(code ?? 1));
