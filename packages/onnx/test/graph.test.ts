import { describe, expect, it } from 'vitest';
import { Graph } from '@lsgmer/onnx';

describe('Graph', () => {
  it('refuses a name that is taken, in subgraphs too', () => {
    const graph = new Graph('g');
    graph.input('x', 'float32', [2]);
    expect(() => graph.initializer('x', 'float32', [1], [1])).toThrow('the name x is given twice');
    expect(() => graph.op('Neg', ['x'], {}, 'x')).toThrow('the name x is given twice');
    expect(() => graph.subgraph('body').input('x', 'float32', [2])).toThrow(
      'graph body: the name x is given twice',
    );
  });

  it('refuses values that are not defined, or not defined yet', () => {
    const graph = new Graph('g');
    expect(() => graph.op('Neg', ['y'])).toThrow('node Neg uses y, which is not defined');
    expect(() => graph.output('y', 'float32', [1])).toThrow('output y uses y');
  });

  it('shows values of a graph to its subgraphs, not the other way round', () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [2]);
    const body = graph.subgraph();
    const inner = body.op('Neg', [x]);
    expect(() => graph.op('Neg', [inner])).toThrow('not defined');
    expect(body.computes(inner)).toBe(true);
    expect(body.computes(x)).toBe(false);
  });

  it('stores equal small constants once, in the outermost graph', () => {
    const graph = new Graph();
    const body = graph.subgraph();
    expect(body.scalar(1.5)).toBe(graph.scalar(1.5));
    expect(graph.int64([1, 2])).toBe(graph.int64([1, 2]));
    expect(graph.int64([1, 2])).not.toBe(graph.int64([2, 1]));
    expect(graph.scalar(1, 'int32')).not.toBe(graph.scalar(1, 'int64'));
    expect(graph.constant('float32', [1], [1.5])).not.toBe(graph.scalar(1.5));
    expect(graph.initializers.length).toBe(6);
    expect(body.initializers).toEqual([]);
  });

  it('makes names that nothing has', () => {
    const graph = new Graph();
    graph.input('Neg_0', 'float32', [2]);
    expect(graph.op('Neg', ['Neg_0'])).toBe('Neg_1');
  });

  it('checks data against shape and type', () => {
    const graph = new Graph();
    expect(() => graph.initializer('w', 'float32', [2, 3], new Float32Array(5))).toThrow(
      'initializer w: 20 bytes of data, but float32 [2,3] has 24',
    );
    expect(() => graph.initializer('w', 'float32', [2], new Int32Array(2))).toThrow(
      'a float32 tensor cannot be held in a Int32Array',
    );
    expect(() => graph.initializer('w', 'float16', [2], [1, 2])).toThrow('as their bits');
    expect(() => graph.initializer('w', 'int8', [4], { location: 'w.bin', offset: 0, length: 3 })).toThrow(
      '3 bytes of data, but int8 [4] has 4',
    );
  });

  it('refuses an output that is declared twice', () => {
    const graph = new Graph();
    graph.input('x', 'float32', [2]);
    graph.output('x', 'float32', [2], 'y');
    expect(() => graph.output('x', 'float32', [2], 'y')).toThrow('output y is declared twice');
  });
});
