import { type PickleRules, PickleGlobal, type PickleValue } from './unpickle.ts';
import type { ElementKind } from './stored-tensor.ts';

/** A storage that a checkpoint's pickle names: the bytes lie elsewhere. */
export class TorchStorage {
  readonly kind: ElementKind;
  readonly key: string;
  /** Elements. */
  readonly size: number;
  constructor(kind: ElementKind, key: string, size: number) {
    this.kind = kind;
    this.key = key;
    this.size = size;
  }
}

/** A view of a storage. */
export class TorchTensor {
  readonly storage: TorchStorage;
  /** Elements before the first one. */
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  constructor(storage: TorchStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

const STORAGES: { readonly [name: string]: ElementKind } = {
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  DoubleStorage: 'F64',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

const GLOBALS: { readonly [name: string]: PickleGlobal } = {
  'collections.OrderedDict': new PickleGlobal('OrderedDict', ([pairs]) =>
    Array.isArray(pairs) ? new Map(pairs as [PickleValue, PickleValue][]) : new Map(),
  ),
  'torch._utils._rebuild_tensor_v2': new PickleGlobal('tensor', rebuildTensor),
  'torch._utils._rebuild_tensor': new PickleGlobal('tensor', rebuildTensor),
  'torch._utils._rebuild_parameter': new PickleGlobal('parameter', ([data]) => data ?? null),
  ...Object.fromEntries(
    Object.keys(STORAGES).map((name) => [
      `torch.${name}`,
      new PickleGlobal(name, () => {
        throw new Error(`it makes a ${name} of its own`);
      }),
    ]),
  ),
};

/** Dictionaries, numbers, texts and tensors: what a checkpoint needs, and nothing that could be run. */
export const TORCH_RULES: PickleRules = {
  global(module, name) {
    const known = Object.hasOwn(GLOBALS, `${module}.${name}`) ? GLOBALS[`${module}.${name}`] : undefined;
    if (known !== undefined) return known;
    throw new Error(`it holds ${module}.${name}, which is no tensor: nothing of it was run`);
  },
  persistent(id) {
    const [what, type, key, , size] = Array.isArray(id) ? id : [];
    const kind = type instanceof PickleGlobal ? STORAGES[type.name] : undefined;
    if (what !== 'storage' || kind === undefined || typeof size !== 'number')
      throw new Error('it refers to what is no storage');
    return new TorchStorage(kind, String(key), size);
  },
};

function rebuildTensor([storage, offset, shape, strides]: readonly PickleValue[]): TorchTensor {
  const whole = (value: PickleValue | undefined): value is number =>
    typeof value === 'number' && Number.isInteger(value) && value >= 0;
  if (
    !(storage instanceof TorchStorage) ||
    !whole(offset) ||
    !Array.isArray(shape) ||
    !Array.isArray(strides) ||
    shape.length !== strides.length ||
    ![...shape, ...strides].every(whole)
  )
    throw new Error('it describes a tensor in a way that is not known');
  const tensor = new TorchTensor(storage, offset, shape as number[], strides as number[]);
  const last = tensor.shape.reduce((sum, dim, axis) => sum + (dim - 1) * (tensor.strides[axis] as number), 0);
  if (!tensor.shape.includes(0) && offset + last >= storage.size) {
    throw new Error(`a tensor reaches past its storage of ${storage.size} elements`);
  }
  return tensor;
}

/** Settings that lie beside the tensors in some checkpoints (`cfg` of WavLM's), and the tensors by name. */
export interface TorchContent {
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  readonly settings: ReadonlyMap<PickleValue, PickleValue> | undefined;
}

/** Keys under which trainers keep the state dict. */
const STATE_KEYS = ['model', 'state_dict', 'model_state_dict'] as const;

/**
 * Finds the state dict: the dictionary itself, or the one under `model` or `state_dict`.
 * @throws Error when there is none, or when it holds something else than tensors
 */
export function findTensors(value: PickleValue): TorchContent {
  if (!(value instanceof Map)) throw new Error('it holds no dictionary of tensors');
  const key = STATE_KEYS.find((name) => value.get(name) instanceof Map);
  const state = key === undefined ? value : (value.get(key) as Map<PickleValue, PickleValue>);
  const settings = key === undefined ? undefined : value.get('cfg');
  const tensors = new Map<string, TorchTensor>();
  for (const [name, tensor] of state) {
    if (!(tensor instanceof TorchTensor) || typeof name !== 'string')
      throw new Error(`entry ${typeof name === 'string' ? name : typeof name} is no tensor`);
    tensors.set(name, tensor);
  }
  if (tensors.size === 0) throw new Error('it holds no tensors');
  return { tensors, settings: settings instanceof Map ? settings : undefined };
}
