import { basename, dirname, join, resolve } from 'node:path';
import { type Json, UserError, writeFileAtomic } from '@lsgmer/datasets';
import { applyTask, findTask, readManifest } from '@lsgmer/datasets';
import { compareExport, exportCard, exportHead, readBy, ruleFile, Scorer } from '@lsgmer/train';
import type { CommandModule } from 'yargs';
import { createContext } from '../context.ts';
import { openTrainedFeatures } from '../trained-features.ts';
import {
  chooseTrained,
  engineOfRun,
  HEAD_FILE_OPTION,
  RULE_OPTION,
  RUN_POSITIONAL,
  type TrainedOptions,
} from '../trained-choice.ts';
import { VERSION } from '../version.ts';

interface ExportOptions extends TrainedOptions {
  out?: string | undefined;
  json: boolean;
}

/** Most that a logit of the model may differ from the engine's: anything above it is a bug. */
const TOLERANCE = 1e-3;

export const exportCommand: CommandModule<object, ExportOptions> = {
  command: 'export <run>',
  describe: 'a trained head as one ONNX file for every batch and length, with a JSON card beside it',
  builder: (y) =>
    y
      .positional('run', RUN_POSITIONAL)
      .option('out', {
        type: 'string',
        describe: "file to write, NAME.onnx (default: model.onnx in the run's folder)",
      })
      .option('select', RULE_OPTION)
      .option('head', HEAD_FILE_OPTION)
      .option('json', { type: 'boolean', default: false, describe: 'the card on stdout' })
      .example('$0 export 3f2a91c0 --out emotion.onnx', ''),
  handler: async (options) => {
    const context = createContext(options);
    const out = options.out === undefined ? undefined : resolve(context.folder, options.out);
    if (out !== undefined && !out.endsWith('.onnx'))
      throw new UserError(`--out ${options.out}: expected a name that ends in .onnx`);
    const trained = await chooseTrained(context, options);
    const { run } = trained;
    const { dataset } = run.identity;
    const features = openTrainedFeatures(context, run, dataset);
    const manifest = readManifest(context.stores, dataset);
    const task = findTask(manifest.card, run.identity.task);
    const rows = applyTask(task, manifest.utterances).rows.map(({ utterance: { id, speaker }, label }) => ({
      id,
      label,
      ...(speaker === null ? {} : { speaker }),
    }));
    const scorer = await Scorer.open(trained, features.sources, {
      engine: await engineOfRun(context, run),
      everyone: rows,
    });
    try {
      const exported = exportHead(trained, readBy(trained, features.sources).dims);
      const bySpeaker = trained.trainer.standardise === 'speaker';
      const samples = await scorer.samples(scorer.join(rows));
      const difference = bySpeaker ? null : await compareExport(exported.model, exported.inputs, samples);
      if (difference !== null && !(difference < TOLERANCE))
        throw new Error(`the exported model differs from the engine by ${difference}`);
      const model = out ?? join(run.path, ruleFile('model', trained.rule, 'onnx'));
      const described = Object.fromEntries(
        Object.entries(features.sets).map(([input, { spec }]): [string, Json] => [
          input,
          {
            feature: spec.feature,
            fingerprint: spec.fingerprint,
            dim: spec.dim,
            firstSeconds: spec.firstSeconds,
            stepSeconds: spec.stepSeconds,
            computation: spec.computation,
          },
        ]),
      );
      const card = {
        ...(exportCard(trained, exported, described, { lsgmer: VERSION }) as { [key: string]: Json }),
        model: basename(model),
      };
      const cardPath = join(dirname(model), `${basename(model, '.onnx')}.json`);
      writeFileAtomic(model, exported.model);
      writeFileAtomic(cardPath, `${JSON.stringify(card, null, 2)}\n`);
      if (options.json) context.print(JSON.stringify(card));
      else {
        context.print(`${model}  ${Math.round(exported.model.length / 1024)} KiB`);
        context.print(cardPath);
        context.print(
          difference === null
            ? 'features must be standardised by speaker before they are fed: the card says so'
            : `run on two batches: logits within ${difference.toExponential(1)} of the training engine's`,
        );
      }
    } finally {
      await scorer.close();
      features.close();
    }
  },
};
