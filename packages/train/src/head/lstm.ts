import { isSymbolic, isTracing, lstmOperator, packed, realSteps, scan, tf } from '@lsgmer/onnx';
import { padded, type SaveForGradient } from './ops.ts';

/**
 * Weights of one bidirectional LSTM layer. The first index is the direction (0 forward, 1 backward), gates stand
 * in PyTorch's order i, f, g, o. In terms of torch.nn.LSTM with suffix '' or '_reverse':
 * `wx[k]` = weight_ih_l0 transposed, `wh[k]` = weight_hh_l0 transposed, `bih[k]` = bias_ih_l0, `bhh[k]` = bias_hh_l0.
 */
export interface LstmWeights {
  /** [2, Din, 4h] */
  readonly wx: tf.Tensor;
  /** [2, h, 4h] */
  readonly wh: tf.Tensor;
  /** [2, 4h] */
  readonly bih: tf.Tensor;
  /** [2, 4h] */
  readonly bhh: tf.Tensor;
}

/** What the recurrence starts from: input projections in time order, and 1 for a real token, 0 for padding. */
interface Projected {
  /** [n, B, 4h], forward direction */
  readonly forward: tf.Tensor;
  /** [n, B, 4h], backward direction */
  readonly backward: tf.Tensor;
  /** [2, h, 4h] */
  readonly wh: tf.Tensor;
  /** [n, B, 1] */
  readonly mask: tf.Tensor;
}

/**
 * A bidirectional LSTM over padded rows that gives what torch.nn.LSTM gives on packed ones
 * (pack_padded_sequence): the backward direction starts at each row's last real token, outputs at padding are 0,
 * and nothing depends on how much padding there is. Padding must come last in a row; a row may be all padding.
 *
 * Padding zeroes the cell state, and with it h = o tanh(c): going forward nothing real comes after it, going
 * backward it comes first and leaves the state as it began.
 *
 * Eager code unrolls the steps under tfjs's own autodiff; traced code projects real tokens only and becomes two ONNX
 * Scans, forward and a backward written by hand; a model for every shape has ONNX's LSTM.
 * @param x [B, n, Din]
 * @param mask [B, n], 1 for a real token, 0 for padding
 * @returns [B, n, 2h], forward direction first
 */
export function bilstm(x: tf.Tensor, mask: tf.Tensor, weights: LstmWeights): tf.Tensor {
  const { wx, wh, bih, bhh } = weights;
  const bias = tf.add(bih, bhh);
  if (isTracing()) return scanned(x, mask, wx, wh, bias);
  if (isSymbolic()) return operator(x, mask, weights);
  const [rows, steps, inputs] = x.shape as [number, number, number];
  const gates = wx.shape[2] as number; // 4h
  const inTime = tf.reshape(tf.transpose(x, [1, 0, 2]), [steps * rows, inputs]); // [n*B, Din]
  const [wxForward, wxBackward] = tf.unstack(wx) as [tf.Tensor, tf.Tensor]; // [Din, 4h]
  const [biasForward, biasBackward] = tf.unstack(bias) as [tf.Tensor, tf.Tensor]; // [4h]
  const project = (w: tf.Tensor, b: tf.Tensor): tf.Tensor =>
    tf.reshape(tf.add(tf.matMul(inTime, w), b), [steps, rows, gates]);
  const hidden = unrolled({
    forward: project(wxForward, biasForward),
    backward: project(wxBackward, biasBackward),
    wh,
    mask: tf.reshape(tf.transpose(mask), [steps, rows, 1]),
  }); // [n, B, 2h]
  return tf.transpose(hidden, [1, 0, 2]);
}

/** The layer as ONNX's own operator, for a model of every shape: it takes the rows' lengths and orders gates i, o, f, g. */
function operator(x: tf.Tensor, mask: tf.Tensor, { wx, wh, bih, bhh }: LstmWeights): tf.Tensor {
  const [rows, steps] = x.shape as [number, number];
  const size = wh.shape[1] as number;
  const reordered = (values: tf.Tensor): tf.Tensor => {
    const [i, f, g, o] = tf.split(values, 4, -1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    return tf.concat([i, o, f, g], -1);
  };
  const turned = (values: tf.Tensor): tf.Tensor => tf.transpose(reordered(values), [0, 2, 1]);
  const hidden = lstmOperator(tf.transpose(x, [1, 0, 2]), tf.cast(tf.sum(mask, 1), 'int32'), {
    w: turned(wx),
    r: turned(wh),
    b: tf.concat([reordered(bih), reordered(bhh)], 1),
  }); // [n, 2, B, h]
  const inRows = tf.reshape(tf.transpose(hidden, [2, 0, 1, 3]), [rows, steps, 2 * size]);
  return tf.mul(inRows, tf.expandDims(mask, 2)); // the operator's padding is its runtime's affair
}

/** The recurrence step by step; both directions advance together, the backward one from the other end. */
function unrolled({ forward, backward, wh, mask }: Projected): tf.Tensor {
  const [steps, rows, gates] = forward.shape as [number, number, number];
  const [masks, forwards, backwards] = [eachStep(mask), eachStep(forward), eachStep(backward)];
  let h: tf.Tensor = tf.zeros([2, rows, gates / 4]);
  let c: tf.Tensor = tf.zeros([2, rows, gates / 4]);
  const outputs: [tf.Tensor, tf.Tensor][] = [];
  for (let t = 0; t < steps; t++) {
    const last = steps - 1 - t;
    const z = tf.stack([forwards[t] as tf.Tensor, backwards[last] as tf.Tensor]); // [2, B, 4h]
    const real = tf.stack([masks[t] as tf.Tensor, masks[last] as tf.Tensor]); // [2, B, 1]
    const [i, f, g, o] = activated(tf.add(z, tf.matMul(h, wh)));
    c = tf.mul(real, tf.add(tf.mul(f, c), tf.mul(i, g)));
    h = tf.mul(o, tf.tanh(c));
    outputs.push(tf.unstack(h) as [tf.Tensor, tf.Tensor]);
  }
  const ahead = tf.stack(outputs.map(([h]) => h));
  const back = tf.stack(outputs.toReversed().map(([, h]) => h));
  return tf.concat([ahead, back], 2);
}

/** The elements of a sequence. tf.unstack's gradient fails on a single one. */
function eachStep(sequence: tf.Tensor): tf.Tensor[] {
  const [steps, ...rest] = sequence.shape as [number, ...number[]];
  return steps === 1 ? [tf.reshape(sequence, rest)] : tf.unstack(sequence);
}

/** Gate activations i, f, g, o of pre-activations [..., 4h]. */
function activated(gates: tf.Tensor): [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor] {
  const [i, f, g, o] = tf.split(gates, 4, -1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  return [tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)];
}

/**
 * Where what happens at scan time t in direction k and row b stands among the rows of a sequence [n, 2, B]: the
 * backward direction meets its last token first.
 */
function scanRow(t: number, k: number, b: number, rows: number): number {
  return (2 * t + k) * rows + b;
}

/** Indices that lead from padded rows [B, n, 2] to scan order [n, 2, B], and back. */
function orders(rows: number, steps: number): { readonly toScan: tf.Tensor; readonly toRows: tf.Tensor } {
  const toScan = new Int32Array(2 * rows * steps);
  const toRows = new Int32Array(2 * rows * steps);
  for (let b = 0; b < rows; b++) {
    for (let token = 0; token < steps; token++) {
      for (const k of [0, 1]) {
        const inScan = scanRow(k === 0 ? token : steps - 1 - token, k, b, rows);
        const inRows = 2 * (b * steps + token) + k;
        toScan[inScan] = inRows;
        toRows[inRows] = inScan;
      }
    }
  }
  return {
    toScan: tf.tensor(toScan, [steps, 2, rows], 'int32'),
    toRows: tf.tensor(toRows, [rows, steps, 2], 'int32'),
  };
}

/**
 * The layer as one Scan, with another for its gradient. Both directions run in one Scan, sequences [n, 2, B, ...],
 * the backward one from its last token. What counts in a Scan's body is the number of nodes: each costs more than
 * its arithmetic.
 */
function scanned(x: tf.Tensor, mask: tf.Tensor, wx: tf.Tensor, wh: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  const [rows, steps] = x.shape as [number, number];
  const size = wh.shape[1] as number;
  const run = tf.customGrad((...given) => {
    const [x, wx, wh, bias, save] = given as [tf.Tensor, ...Triple, SaveForGradient];
    const tokens = realSteps(mask);
    const inputs = packed(x, tokens); // [R, Din]
    const [wf, wb] = tf.unstack(wx) as [tf.Tensor, tf.Tensor]; // [Din, 4h]
    const [bf, bb] = tf.unstack(bias) as [tf.Tensor, tf.Tensor]; // [4h]
    const ahead = tf.transpose(tokens.place); // [n, B]
    const projected = [
      tf.gather(tf.add(tf.matMul(inputs, wf), bf), ahead),
      tf.gather(tf.add(tf.matMul(inputs, wb), bb), tf.reverse(ahead, 0)),
    ]; // [n, B, 4h] each
    const inTime = tf.reshape(tf.transpose(mask), [steps, 1, rows, 1]);
    const { outputs } = scan({
      initial: { h: zeros(rows, size), c: zeros(rows, size) },
      sequences: { z: tf.stack(projected, 1), real: tf.concat([inTime, tf.reverse(inTime, 0)], 1) },
      body: ({ h, c }, { z, real }) => {
        const sum = tf.add(tf.matMul(h, wh), z); // [2, B, 4h]
        const [zif, zg, zo] = tf.split(sum, [2 * size, size, size], 2) as Triple;
        const [i, f] = tf.split(tf.mul(tf.sigmoid(zif), real), 2, 2) as [tf.Tensor, tf.Tensor];
        const [g, o] = [tf.tanh(zg), tf.sigmoid(zo)];
        const [taken, kept] = [tf.mul(i, g), tf.mul(f, c)];
        const cell = tf.add(kept, taken);
        const squashed = tf.tanh(cell);
        const next = tf.mul(o, squashed);
        return {
          states: { h: next, c: cell },
          outputs: { i, f, g, o, taken, kept, squashed },
        };
      },
    });
    const { i, f, g, o, taken, kept, squashed } = outputs; // [n, 2, B, h]
    const h = tf.mul(o, squashed); // as an output of the Scan, beside the state, it would be copied at each step
    save([
      mask,
      inputs,
      tokens.row,
      tokens.step,
      tokens.place,
      wf,
      wb,
      wh,
      i,
      f,
      g,
      o,
      taken,
      kept,
      squashed,
      h,
    ]);
    const { toRows } = orders(rows, steps);
    const value = tf.reshape(tf.gather(tf.reshape(h, [-1, size]), toRows), [rows, steps, 2 * size]);
    return { value, gradFunc: backwardPass };
  });
  return run(x, wx, wh, bias);
}

type Triple = [tf.Tensor, tf.Tensor, tf.Tensor];

/**
 * Gradients of x [B, n, Din], input weights [2, Din, 4h], recurrent weights [2, h, 4h] and biases [2, 4h]. With dh and dc arriving
 * at a step,
 *   d = dc + dh o (1 - tanh(c)^2),   dc' = d f,   dh' = dz wh^T,
 *   dz = [d g i(1-i), d c' f(1-f), d i (1-g^2), dh tanh(c) o(1-o)].
 * All factors of d and dh are computed for the whole sequence at once, from products that the forward pass left:
 * taken = i g, kept = f c', h = o tanh(c). i and f carry the mask, which is 0 or 1, so that i(1-i) carries it too.
 */
function backwardPass(dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] {
  const [mask, inputs, row, step, place, wf, wb, wh, i, f, g, o, taken, kept, squashed, h] = saved as [
    tf.Tensor2D,
    tf.Tensor2D,
    tf.Tensor1D,
    tf.Tensor1D,
    tf.Tensor2D,
    ...Triple,
    ...Triple,
    ...Triple,
    tf.Tensor,
    tf.Tensor,
  ];
  const [steps, , rows, size] = h.shape as [number, number, number, number];
  const less = (x: tf.Tensor, a: tf.Tensor, b: tf.Tensor): tf.Tensor => tf.sub(x, tf.mul(a, b));
  const factors = {
    toInput: less(taken, taken, i),
    toForget: less(kept, kept, f),
    toCandidate: less(i, taken, g),
    toOutput: less(h, h, o),
    toCell: less(o, h, squashed),
    f,
  }; // [n, 2, B, h]
  const { toScan } = orders(rows, steps);

  const { outputs } = scan({
    initial: { dh: zeros(rows, size), dc: zeros(rows, size) },
    sequences: { dy: tf.gather(tf.reshape(dy, [-1, size]), toScan), ...factors },
    reversed: 'all',
    body: ({ dh, dc }, { dy, toInput, toForget, toCandidate, toOutput, toCell, f }) => {
      const all = tf.add(dh, dy); // [2, B, h]
      const d = tf.add(dc, tf.mul(all, toCell));
      const parts = [tf.mul(d, toInput), tf.mul(d, toForget), tf.mul(d, toCandidate), tf.mul(all, toOutput)];
      const dz = tf.concat(parts, 2); // [2, B, 4h]
      // One product for both directions: a thread each. Two products would be cut between threads, and rounding
      // would depend on how many there are.
      return { states: { dh: tf.matMul(dz, wh, false, true), dc: tf.mul(d, f) }, outputs: { dz } };
    },
  });
  const inScan = tf.reshape(outputs.dz, [-1, 4 * size]);
  const before = tf.reshape(oneLater(h), [-1, size]);
  const scalar = (value: number): tf.Scalar => tf.scalar(value, 'int32');
  const times = [step, tf.sub(scalar(steps - 1), step)];
  const gradients = times.map((time, k) => {
    const places = tf.add(tf.add(tf.mul(time, scalar(2 * rows)), scalar(k * rows)), row); // as scanRow has it
    const dz = tf.gather(inScan, places); // [R, 4h]
    const previous = tf.gather(before, places); // [R, h]
    const dx = tf.matMul(dz, k === 0 ? wf : wb, false, true); // [R, Din]
    return { dx, dwx: tf.matMul(inputs, dz, true), dwh: tf.matMul(previous, dz, true), db: tf.sum(dz, 0) };
  }) as [Gradients, Gradients];
  const both = (which: keyof Gradients): tf.Tensor => tf.stack(gradients.map((each) => each[which]));
  const dx = padded(tf.add(gradients[0].dx, gradients[1].dx), place, mask);
  return [dx, both('dwx'), both('dwh'), both('db')];
}

/** Of one direction. */
interface Gradients {
  readonly dx: tf.Tensor;
  readonly dwx: tf.Tensor;
  readonly dwh: tf.Tensor;
  readonly db: tf.Tensor;
}

function zeros(rows: number, size: number): tf.Tensor {
  return tf.zeros([2, rows, size]);
}

/** The sequence [n, ...] one step later, with zeros before its first step. */
function oneLater(sequence: tf.Tensor): tf.Tensor {
  const [steps, ...rest] = sequence.shape as [number, ...number[]];
  const zeros = tf.zeros([1, ...rest]);
  if (steps === 1) return zeros;
  return tf.concat([zeros, tf.slice(sequence, rest.map(() => 0).concat(0), [steps - 1, ...rest])], 0);
}
