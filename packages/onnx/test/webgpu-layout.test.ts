import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Graph, modelBytes } from '@lsgmer/onnx';
import { webgpuLayout } from '../src/webgpu-layout.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-layout-'));
afterAll(() => rmSync(folder, { recursive: true }));

function convolution(channels: number, group: number, computed = false, outputs = channels): Uint8Array {
  const graph = new Graph();
  const shape = [outputs, channels / group, 3];
  const weights = graph.constant('float32', shape, new Float32Array(outputs * (channels / group) * 3));
  graph.input('x', 'float32', [1, channels, 'n']);
  const used = computed ? graph.op('Neg', [weights]) : weights;
  graph.output(graph.op('Conv', ['x', used], { group }), 'float32', [1, outputs, 'm'], 'y');
  return modelBytes(graph);
}

describe('webgpuLayout', () => {
  it.each([
    [96, 1], // no groups
    [96, 96], // one output a group
    [96, 24], // four
    [768, 16], // WavLM-Base: 48
    [1024, 16], // WavLM-Large: 64
  ])('%i channels in %i groups: channels last', (channels, groups) => {
    expect(webgpuLayout(convolution(channels, groups))).toBe('NHWC');
  });

  it.each([
    [1, 512], // the first of WavLM's
    [3, 64], // AlexNet's first and third
    [192, 384],
  ])('%i channels to %i: channels last', (channels, outputs) => {
    expect(webgpuLayout(convolution(channels, 1, false, outputs))).toBe('NHWC');
  });

  it.each([
    [6, 4],
    [9, 16],
    [30, 64],
  ])('%i channels to %i: channels first', (channels, outputs) => {
    expect(webgpuLayout(convolution(channels, 1, false, outputs))).toBe('NCHW');
  });

  // Seen to be wrong with channels last: test/webgpu checks that these are right with channels first.
  it.each([
    [96, 16], // six
    [60, 12], // five
    [60, 4], // fifteen
    [62, 2], // thirty-one
  ])('%i channels in %i groups: channels first', (channels, groups) => {
    expect(webgpuLayout(convolution(channels, groups))).toBe('NCHW');
  });

  it('is careful where the weights are computed, and reads files as well', () => {
    const path = join(folder, 'model.onnx');
    writeFileSync(path, convolution(768, 16, true));
    expect(webgpuLayout(path)).toBe('NCHW');
  });
});
