// Encoders at full size with random weights, for measurements that need no checkpoint: the same graphs as the real ones.
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { trainByteLevelBpe } from '../packages/extract/dist/index.js';
import { sha256Hex } from '../packages/datasets/dist/index.js';
import { buildEncoder } from '../packages/extract/dist/models/build-encoder.js';
import { parseConfig } from '../packages/extract/dist/models/parse-config.js';
import { writeModel } from '../packages/onnx/dist/index.js';

const WAVLM = {
  model_type: 'wavlm',
  conv_dim: [512, 512, 512, 512, 512, 512, 512],
  conv_kernel: [10, 3, 3, 3, 3, 2, 2],
  conv_stride: [5, 2, 2, 2, 2, 2, 2],
  conv_bias: false,
  feat_extract_norm: 'layer',
  do_stable_layer_norm: true,
  num_conv_pos_embeddings: 128,
  num_conv_pos_embedding_groups: 16,
  num_buckets: 320,
  max_bucket_distance: 800,
  layer_norm_eps: 1e-5,
  hidden_act: 'gelu',
  feat_extract_activation: 'gelu',
};
const ROBERTA = {
  model_type: 'roberta',
  max_position_embeddings: 514,
  type_vocab_size: 1,
  pad_token_id: 1,
  layer_norm_eps: 1e-5,
  hidden_act: 'gelu',
};
const sized = (layers, width, heads) => ({
  num_hidden_layers: layers,
  hidden_size: width,
  num_attention_heads: heads,
  intermediate_size: 4 * width,
});

/** By name: configuration, and how the graph is made. */
export const RANDOM_MODELS = {
  'random-wavlm-large': { config: { ...WAVLM, ...sized(24, 1024, 16) } },
  'random-wavlm-mid': { config: { ...WAVLM, ...sized(6, 512, 8) } },
  'random-roberta-base': {
    config: { ...ROBERTA, ...sized(12, 768, 12), vocab_size: 50_265 },
  },
  'random-alexnet': {
    config: { model_type: 'alexnet', channels: [64, 192, 384, 256, 256] },
  },
};

/** Fast and the same everywhere; variances are kept from layer to layer. Large tensors go into a file, as those of checkpoints. */
class FastRandom {
  static FILE = 'weights.bin';
  #state = 0x9e3779b9;
  #fd;
  #size = 0;
  #tensors = {};

  constructor(folder) {
    this.#fd = openSync(join(folder, FastRandom.FILE), 'w');
  }

  place({ name, shape, sources, make }) {
    const values = make(sources.map((source) => this.tensor(source.name, source.shape)));
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const offset = Math.ceil(this.#size / 64) * 64;
    for (let at = 0; at < bytes.length;) at += writeSync(this.#fd, bytes, at, bytes.length - at, offset + at);
    this.#size = offset + bytes.length;
    this.#tensors[name] = [FastRandom.FILE, offset, [...shape]];
    return bytes.length < 1024 ? values : { location: FastRandom.FILE, offset, length: bytes.length };
  }

  placement() {
    closeSync(this.#fd);
    return { files: { [FastRandom.FILE]: this.#size }, tensors: this.#tensors };
  }

  tensor(name, shape) {
    const values = new Float32Array(shape.reduce((size, dim) => size * dim, 1));
    if (/norm\.weight$/i.test(name) || name.endsWith('gru_rel_pos_const')) return values.fill(1);
    if (name.endsWith('bias')) return values;
    const inputs = shape.slice(1).reduce((product, dim) => product * dim, 1);
    const sd = name.endsWith('embeddings.weight')
      ? 1
      : name.includes('rel_attn_embed')
        ? 0.5
        : 1 / Math.sqrt(inputs);
    let state = this.#state;
    const scale = (sd * Math.sqrt(12)) / 2 ** 32;
    for (let i = 0; i < values.length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      values[i] = state * scale; // uniform around 0
    }
    this.#state = state;
    return values;
  }
}

/** Makes a model folder, or finds it made already. */
export async function makeRandomModel(name, models, texts = []) {
  const folder = join(models, name);
  if (existsSync(join(folder, 'model.json'))) return folder;
  const { config } = RANDOM_MODELS[name];
  mkdirSync(folder, { recursive: true });
  const json = (file, value) => writeFileSync(join(folder, file), JSON.stringify(value));
  json('config.json', config);
  let tokenizer;
  if (config.model_type === 'roberta') {
    const text = JSON.stringify(trainByteLevelBpe(texts, 2000));
    writeFileSync(join(folder, 'tokenizer.json'), text);
    tokenizer = sha256Hex(text);
  }
  if (config.model_type === 'wavlm') json('preprocessor_config.json', { do_normalize: true });
  const random = new FastRandom(folder);
  await writeModel(buildEncoder(parseConfig(config, name), random), join(folder, 'model.onnx'));
  const weights = sha256Hex(name);
  json('model.json', {
    format: 1,
    name,
    weights,
    ...(tokenizer && { tokenizer }),
    placement: random.placement(),
  });
  return folder;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [models, ...names] = process.argv.slice(2);
  for (const name of names)
    console.log(await makeRandomModel(name, models, ['oh my god', 'what are you doing here']));
}
