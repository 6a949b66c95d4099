import type { Reporter } from '@lsgmer/datasets';
import type { TextTokenizer } from '../tokenizer/text-tokenizer.ts';
import { Flow } from './flow.ts';
import { groupByKey } from './group.ts';
import type { ModelRun, PreparedRow } from './model-run.ts';
import { RunProgress } from './progress.ts';

/** Rows that are sorted into batches of equal token counts together. */
const WINDOW = 1024;
/** Tokens of a batch are bounded since attention grows with rows and with the square of the length. */
const BATCH = { rows: 32, length: 4096 };

/** Tokenises and encodes the texts that one model's sets lack. */
export async function encodeTexts(run: ModelRun, reporter: Reporter, signal?: AbortSignal): Promise<void> {
  const { rows, model } = run;
  const progress = new RunProgress(reporter, model.name, rows.length, {
    total: rows.reduce((sum, { utterance }) => sum + utterance.text.length, 0),
    unit: 'characters',
  });
  const flow = new Flow(run.inFlight);
  for (let from = 0; from < rows.length; from += WINDOW) {
    const prepared = rows.slice(from, from + WINDOW).map((row): PreparedRow => {
      const tokens = (model.tokenizer as TextTokenizer).encode(row.utterance.text);
      return { row, input: tokens.ids, tokens };
    });
    const length = ({ input }: PreparedRow): number => input.length;
    const batches = groupByKey(prepared, (row) => model.form.batchKey(length(row)), length, BATCH);
    await flow.begin(
      batches.map((batch) => async () => {
        signal?.throwIfAborted();
        const lost = await run.encode(batch);
        const characters = batch.reduce((sum, { row }) => sum + row.utterance.text.length, 0);
        progress.add(batch.length, characters, lost);
      }),
    );
  }
  await flow.end();
}
