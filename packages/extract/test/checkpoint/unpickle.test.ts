import { describe, expect, it } from 'vitest';
import { PickleGlobal, type PickleRules, unpickle } from '../../src/checkpoint/unpickle.ts';

const rules: PickleRules = {
  global(module, name) {
    if (module === 'good' && name === 'pair') return new PickleGlobal('pair', (args) => ({ pair: args }));
    throw new Error(`${module}.${name} is not known`);
  },
  persistent: (id) => ({ persistent: id }),
};
const read = (hex: string): unknown => unpickle(Buffer.from(hex.replaceAll(' ', ''), 'hex'), rules).value;
const text = (name: string): string => Buffer.from(name).toString('hex');

describe('unpickle', () => {
  it('reads what Python pickles', () => {
    // pickle.dumps({'a': [1, -2, 300, 2.5, None, True, 2**40], 'b': ('x', 'y')}, 2)
    expect(
      read(
        '80027d710028580100000061710 15d7102284b014afeffffff4d2c0147400400000000 00004e888a06000000000001655801000000627103580100000078710458010000007971058671 06752e',
      ),
    ).toEqual(
      new Map<string, unknown>([
        ['a', [1, -2, 300, 2.5, null, true, 2 ** 40]],
        ['b', ['x', 'y']],
      ]),
    );
    // Protocol 4: pickle.dumps({'a': [1, 1]}, 4)
    expect(read('80049510000000000000007d948c0161945d94284b014b0165732e')).toEqual(new Map([['a', [1, 1]]]));
    // pickle.dumps(-2**70 , 2)
    expect(read('80028a0900000000000000 00c02e')).toBe(-(2n ** 70n));
  });

  it('calls nothing that it was not given', () => {
    const call = (module: string, name: string): string =>
      `8002 63 ${text(module)}0a ${text(name)}0a 4b01 85 52 2e`;
    expect(read(call('good', 'pair'))).toEqual({ pair: [1] });
    expect(() => read(call('os', 'system'))).toThrow('os.system is not known');
    expect(() => read(call('builtins', 'eval'))).toThrow('builtins.eval is not known');
    // Calling a number, building a number's state.
    expect(() => read('8002 4b01 4b02 85 52 2e')).toThrow('it calls what is no function');
    expect(() => read('8002 4b01 7d 62 2e')).toThrow('it sets the state of an object that is no dictionary');
  });

  it('says what is wrong with a damaged one', () => {
    expect(() => read('8002 58 ff000000 61')).toThrow('it ends at byte 8, too early');
    expect(() => read('8002 ff 2e')).toThrow('opcode 0xff at byte 2 is not known');
    expect(() => read('8002 2e')).toThrow('its stack is empty');
    expect(() => read('8002 6805 2e')).toThrow('it recalls 5, which was never kept');
    expect(() => read('8002 4b01 75 2e')).toThrow('a mark is missing');
    expect(() => read('8002 4b01 28 4b02 65 2e')).toThrow('it appends to what is no list');
    expect(() => read('8002')).toThrow('it ends at byte 2, too early');
  });
});
