import { isTracing, scan, tf } from '@lsgmer/onnx';

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
 * Eager code unrolls the steps under tfjs's own autodiff; traced code becomes two ONNX Scans, forward and a
 * backward written by hand.
 * @param x [B, n, Din]
 * @param mask [B, n], 1 for a real token, 0 for padding
 * @returns [B, n, 2h], forward direction first
 */
export function bilstm(x: tf.Tensor, mask: tf.Tensor, weights: LstmWeights): tf.Tensor {
  const [rows, steps, inputs] = x.shape as [number, number, number];
  const gates = weights.wx.shape[2] as number; // 4h
  const inTime = tf.reshape(tf.transpose(x, [1, 0, 2]), [steps * rows, inputs]); // [n*B, Din]
  const [wxForward, wxBackward] = tf.unstack(weights.wx) as [tf.Tensor, tf.Tensor]; // [Din, 4h]
  const bias = tf.add(weights.bih, weights.bhh);
  const [biasForward, biasBackward] = tf.unstack(bias) as [tf.Tensor, tf.Tensor]; // [4h]
  const project = (w: tf.Tensor, b: tf.Tensor): tf.Tensor =>
    tf.reshape(tf.add(tf.matMul(inTime, w), b), [steps, rows, gates]);
  const projected: Projected = {
    forward: project(wxForward, biasForward),
    backward: project(wxBackward, biasBackward),
    wh: weights.wh,
    mask: tf.reshape(tf.transpose(mask), [steps, rows, 1]),
  };
  const hidden = isTracing() ? scanned(projected) : unrolled(projected); // [n, B, 2h]
  return tf.transpose(hidden, [1, 0, 2]);
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

/** What tf.customGrad passes as its last argument. */
type SaveForGradient = (tensors: tf.Tensor[]) => void;

/** Gate activations i, f, g, o of pre-activations [..., 4h]. */
function activated(gates: tf.Tensor): [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor] {
  const [i, f, g, o] = tf.split(gates, 4, -1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  return [tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)];
}

/**
 * The recurrence as one Scan, with another for its gradient. Both directions stand below each other as 2B rows.
 * What counts here is the number of nodes in a Scan's body: each costs more than its arithmetic.
 */
function scanned({ forward, backward, wh, mask }: Projected): tf.Tensor {
  const [, rows, gates] = forward.shape as [number, number, number];
  const size = gates / 4;
  // [n, 2B, 1]: what each direction meets at its t-th step
  const real = tf.concat([mask, tf.reverse(mask, 0)], 1);

  const run = tf.customGrad((...given) => {
    const [zf, zb, wh, save] = given as [...Triple, SaveForGradient];
    const [wf, wb] = tf.unstack(wh) as [tf.Tensor, tf.Tensor]; // [h, 4h]
    const { outputs } = scan({
      initial: { hf: zeros(rows, size), hb: zeros(rows, size), c: zeros(2 * rows, size) },
      sequences: { zf, zb, real },
      reversed: ['zb', 'hb'],
      body: ({ hf, hb, c }, { zf, zb, real }) => {
        const z = tf.concat([tf.add(tf.matMul(hf, wf), zf), tf.add(tf.matMul(hb, wb), zb)], 0); // [2B, 4h]
        const [zif, zg, zo] = tf.split(z, [2 * size, size, size], 1) as [tf.Tensor, tf.Tensor, tf.Tensor];
        const [i, f] = tf.split(tf.mul(tf.sigmoid(zif), real), 2, 1) as [tf.Tensor, tf.Tensor];
        const [g, o] = [tf.tanh(zg), tf.sigmoid(zo)];
        const [taken, kept] = [tf.mul(i, g), tf.mul(f, c)];
        const cell = tf.add(kept, taken);
        const squashed = tf.tanh(cell);
        const h = tf.mul(o, squashed);
        const [nextForward, nextBackward] = tf.split(h, 2, 0) as [tf.Tensor, tf.Tensor];
        const states = { hf: nextForward, hb: nextBackward, c: cell };
        return {
          states,
          outputs: { hf: nextForward, hb: nextBackward, i, f, g, o, taken, kept, squashed, h },
        };
      },
    });
    const { hf, hb, i, f, g, o, taken, kept, squashed, h } = outputs;
    save([wh, hf, hb, i, f, g, o, taken, kept, squashed, h]);
    return { value: tf.concat([hf, hb], 2), gradFunc: backwardPass };
  });
  return run(forward, backward, wh);
}

type Triple = [tf.Tensor, tf.Tensor, tf.Tensor];

/**
 * Gradients of the pre-activations [n, B, 4h] and recurrent weights [2, h, 4h] of both directions. With dh and dc
 * arriving at a step,
 *   d = dc + dh o (1 - tanh(c)^2),   dc' = d f,   dh' = dz wh^T,
 *   dz = [d g i(1-i), d c' f(1-f), d i (1-g^2), dh tanh(c) o(1-o)].
 * All factors of d and dh are computed for the whole sequence at once, from products that the forward pass left:
 * taken = i g, kept = f c', h = o tanh(c). i and f carry the mask, which is 0 or 1, so that i(1-i) carries it too.
 */
function backwardPass(dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] {
  const [wh, hf, hb, i, f, g, o, taken, kept, squashed, h] = saved as [
    ...Triple,
    ...Triple,
    ...Triple,
    tf.Tensor,
    tf.Tensor,
  ];
  const [steps, rows, size] = hf.shape as [number, number, number];
  const less = (x: tf.Tensor, a: tf.Tensor, b: tf.Tensor): tf.Tensor => tf.sub(x, tf.mul(a, b));
  const factors = {
    toInput: less(taken, taken, i),
    toForget: less(kept, kept, f),
    toCandidate: less(i, taken, g),
    toOutput: less(h, h, o),
    toCell: less(o, h, squashed),
    f,
  }; // [n, 2B, h]
  const [dyf, dyb] = tf.split(dy, 2, 2) as [tf.Tensor, tf.Tensor]; // [n, B, h]

  const { outputs } = scan({
    initial: { dh: zeros(2 * rows, size), dc: zeros(2 * rows, size) },
    sequences: { dyf, dyb, ...factors },
    // The recurrence backwards: the forward direction from the last token, the backward one from the first.
    reversed: ['dyf', 'dzf', 'toInput', 'toForget', 'toCandidate', 'toOutput', 'toCell', 'f'],
    body: ({ dh, dc }, { dyf, dyb, toInput, toForget, toCandidate, toOutput, toCell, f }) => {
      const all = tf.add(dh, tf.concat([dyf, dyb], 0)); // [2B, h]
      const d = tf.add(dc, tf.mul(all, toCell));
      const parts = [tf.mul(d, toInput), tf.mul(d, toForget), tf.mul(d, toCandidate), tf.mul(all, toOutput)];
      const dz = tf.concat(parts, 1); // [2B, 4h]
      const [dzf, dzb] = tf.split(dz, 2, 0) as [tf.Tensor, tf.Tensor];
      // One product for both directions: a thread each. Two products would be cut between threads, and rounding
      // would depend on how many there are.
      const before = tf.matMul(tf.reshape(dz, [2, rows, 4 * size]), wh, false, true);
      const states = { dh: tf.reshape(before, [2 * rows, size]), dc: tf.mul(d, f) };
      return { states, outputs: { dzf, dzb } };
    },
  });
  const { dzf, dzb } = outputs; // [n, B, 4h]
  const flat = (x: tf.Tensor): tf.Tensor => tf.reshape(x, [steps * rows, -1]);
  const dwf = tf.matMul(flat(shifted(hf, 0)), flat(dzf), true);
  const dwb = tf.matMul(flat(shifted(hb, 1)), flat(dzb), true);
  return [dzf, dzb, tf.stack([dwf, dwb])];
}

function zeros(rows: number, size: number): tf.Tensor {
  return tf.zeros([rows, size]);
}

/** The sequence [n, ...] one step later (end 0) or earlier (end 1), with zeros where nothing was. */
function shifted(sequence: tf.Tensor, end: 0 | 1): tf.Tensor {
  const [steps, ...rest] = sequence.shape as [number, ...number[]];
  const zeros = tf.zeros([1, ...rest]);
  if (steps === 1) return zeros;
  const kept = tf.slice(sequence, [end, ...rest.map(() => 0)], [steps - 1, ...rest]);
  return tf.concat(end === 0 ? [zeros, kept] : [kept, zeros], 0);
}
