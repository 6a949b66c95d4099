import { encodeHalf, HALF_MAX } from '@lsgmer/datasets';
import {
  Field,
  FixedSizeList,
  Float16,
  makeData,
  Table,
  tableToIPC,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow';
import type { Tensor } from '../fit/safetensors.ts';

/** Bits of a float16 that is no number. */
const HALF_NAN = 0x7e00;

/** A row of losses.arrow. */
export interface LossRow {
  readonly id: string;
  readonly part: 'train' | 'dev' | 'test';
}

/**
 * The loss (-ln p of the true class) of every utterance by epoch: of training rows at their own update, of dev and
 * test rows after the epoch. Tells mislabelled and hard utterances from noise. Not a number where an utterance was
 * not seen (balanced sampling may leave one out).
 */
export class RowLosses {
  private readonly rows: readonly LossRow[];
  private readonly epochs: number;
  /** [epochs, rows] */
  private readonly values: Float32Array;

  constructor(rows: readonly LossRow[], epochs: number) {
    this.rows = rows;
    this.epochs = epochs;
    this.values = new Float32Array(rows.length * epochs).fill(NaN);
  }

  /** @param epoch from 0 */
  set(epoch: number, row: number, loss: number): void {
    this.values[epoch * this.rows.length + row] = loss;
  }

  /** For a checkpoint: the first `epochs` rows of the table. */
  tensor(epochs: number): Tensor {
    const rows = this.rows.length;
    return { shape: [epochs, rows], values: this.values.slice(0, epochs * rows) };
  }

  restore({ values }: Tensor): void {
    this.values.set(values);
  }

  /**
   * losses.arrow, an Arrow IPC file: `utterance_id` utf8, `part` utf8 (train, dev, test), `losses`
   * fixed_size_list<float16>[epochs]. Equal content gives equal bytes.
   */
  encode(): Uint8Array {
    const { rows, epochs } = this;
    const bits = new Uint16Array(rows.length * epochs);
    const one = new Float32Array(1);
    for (let row = 0; row < rows.length; row++) {
      for (let epoch = 0; epoch < epochs; epoch++) {
        const loss = this.values[epoch * rows.length + row] as number;
        one[0] = Math.min(loss, HALF_MAX);
        const at = row * epochs + epoch;
        if (Number.isNaN(loss)) bits[at] = HALF_NAN;
        else encodeHalf(one, bits, at);
      }
    }
    const half = new Float16();
    const losses = makeData({
      type: new FixedSizeList(epochs, new Field('item', half, false)),
      length: rows.length,
      nullCount: 0,
      child: makeData({ type: half, length: bits.length, nullCount: 0, data: bits }),
    });
    const table = new Table({
      utterance_id: vectorFromArray(
        rows.map(({ id }) => id),
        new Utf8(),
      ),
      part: vectorFromArray(
        rows.map(({ part }) => part),
        new Utf8(),
      ),
      losses: new Vector([losses]),
    });
    return tableToIPC(table, 'file');
  }
}
