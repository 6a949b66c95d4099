import type { ParameterSpec } from '../head/contract.ts';
import { type AnalysisAbout, analysisMetadata, readMetadata } from './analysis-file.ts';
import { decodeTable, encodeTable, int32Column, floatsAt, listColumn, utf8Column } from './arrow-columns.ts';

/** One label table after an epoch, as evaluation sees it; epoch 0 is before the first step. */
export interface LabelTable {
  readonly epoch: number;
  /** `shared`, or `t` and `a` where each modality has its own; another head's own name for it. */
  readonly name: string;
  /** [N * d] */
  readonly values: Float32Array;
}

const SHORT: { readonly [parameter: string]: string } = {
  'label.table': 'shared',
  'label.table.text': 't',
  'label.table.audio': 'a',
};

/** The label tables within a flat parameter vector; copies. */
export function labelTables(
  specs: readonly ParameterSpec[],
  parameters: Float32Array,
  epoch: number,
): LabelTable[] {
  let offset = 0;
  return specs.flatMap(({ name, shape, stream }) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const values = stream === 'labels' ? parameters.slice(offset, offset + size) : undefined;
    offset += size;
    return values === undefined ? [] : [{ epoch, name: SHORT[name] ?? name, values }];
  });
}

/** labels.arrow, an Arrow IPC file: `epoch` int32, `name` utf8, `values` list<float32> [N * d]. */
export function encodeLabelHistory(tables: readonly LabelTable[], about: AnalysisAbout): Uint8Array {
  return encodeTable(
    [
      int32Column(
        'epoch',
        tables.map(({ epoch }) => epoch),
      ),
      utf8Column(
        'name',
        tables.map(({ name }) => name),
      ),
      listColumn(
        'values',
        'float32',
        tables.map(({ values }) => values),
      ),
    ],
    analysisMetadata(about),
  );
}

/** @throws Error for a file that is none, or of another format; callers add its name */
export function decodeLabelHistory(bytes: Uint8Array): {
  readonly about: AnalysisAbout;
  readonly tables: LabelTable[];
} {
  const { rows, metadata, column } = decodeTable(bytes, ['epoch', 'name', 'values']);
  return {
    about: readMetadata(metadata),
    tables: Array.from({ length: rows }, (_, i) => ({
      epoch: column('epoch').get(i) as number,
      name: column('name').get(i) as string,
      values: floatsAt(column('values'), i),
    })),
  };
}
