import { describe, expect, it } from 'vitest';
import { Graph } from '@lsgmer/onnx';
import { prune } from '../src/prune.ts';

describe('prune', () => {
  it('drops what no output needs and keeps what a needed body uses', () => {
    const graph = new Graph();
    graph.input('x', 'float32', [3, 2]);
    graph.input('unused', 'float32', [1]);
    const kept = graph.op('Mul', ['x', graph.scalar(2)]);
    const dead = graph.op('Add', [kept, graph.scalar(5)]);
    graph.op('Neg', [dead]);
    const outer = graph.op('ReduceSum', ['x', graph.int64([0])], { keepdims: 0 }); // [2]
    const body = graph.subgraph();
    body.input('row', 'float32', [2]);
    body.op('Neg', ['row'], {}, 'dead_row');
    body.output(body.op('Add', ['row', outer]), 'float32', [2], 'sum_row');
    const scanned = graph.op('Scan', [kept], { body, num_scan_inputs: 1 });
    graph.output(scanned, 'float32', [3, 2], 'y');
    prune(graph);
    expect(graph.nodes.map((node) => node.type)).toEqual(['Mul', 'ReduceSum', 'Scan', 'Identity']);
    expect(body.nodes.map((node) => node.type)).toEqual(['Add', 'Identity']);
    expect(graph.initializers.length).toBe(2);
    expect(graph.inputs.map((input) => input.name)).toEqual(['x', 'unused']);
    prune(graph, true);
    expect(graph.inputs.map((input) => input.name)).toEqual(['x']);
  });
});
