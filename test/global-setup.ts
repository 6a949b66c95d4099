import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** The gradients bundle is generated code: tests make it when a build has not yet. */
export default function setup(): void {
  if (existsSync('packages/onnx/generated/tfjs-gradients.js')) return;
  execFileSync(process.execPath, ['packages/onnx/bundle-gradients.mjs'], { stdio: 'inherit' });
}
