/**
 * A reader of Python pickles that can run nothing. A pickle is a program for a small stack machine, whose only
 * dangerous part is naming functions and calling them: here names are looked up in a list given by the caller,
 * and what is not in it ends the reading.
 * (Python, Lib/pickletools.py: opcodes of protocols 0 to 5 that lists of tensors need.)
 */
export interface PickleRules {
  /** What a name stands for. @throws for every name that is not known */
  global(module: string, name: string): PickleGlobal;
  /** What a persistent id stands for (torch: a storage). */
  persistent(id: PickleValue): PickleValue;
}

/** A function or class that may be called: what it makes of its arguments. */
export class PickleGlobal {
  readonly name: string;
  readonly make: (args: readonly PickleValue[]) => PickleValue;
  constructor(name: string, make: (args: readonly PickleValue[]) => PickleValue) {
    this.name = name;
    this.make = make;
  }
}

/** Tuples and lists are arrays, dictionaries are Maps; integers beyond 2^53 are bigints. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | PickleGlobal
  | object;

const MARK = Symbol('mark');
type StackItem = PickleValue | typeof MARK;

/** @returns the value, and where the pickle ends. @throws Error with what is wrong, in a few words */
export function unpickle(
  bytes: Uint8Array,
  rules: PickleRules,
  from = 0,
): { value: PickleValue; end: number } {
  const machine = new Machine(bytes, rules, from);
  return { value: machine.run(), end: machine.at };
}

class Machine {
  at: number;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly rules: PickleRules;
  private readonly stack: StackItem[] = [];
  private readonly memo = new Map<number, PickleValue>();

  constructor(bytes: Uint8Array, rules: PickleRules, from: number) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.rules = rules;
    this.at = from;
  }

  run(): PickleValue {
    for (;;) {
      const code = this.uint8();
      if (code === 0x2e) return this.pop(); // STOP
      this.step(code);
    }
  }

  private step(code: number): void {
    const { stack } = this;
    switch (code) {
      case 0x80: // PROTO
        this.skip(1);
        break;
      case 0x95: // FRAME
        this.skip(8);
        break;
      case 0x28: // MARK
        stack.push(MARK);
        break;
      case 0x30: // POP
        stack.pop();
        break;
      case 0x31: // POP_MARK
        this.toMark();
        break;
      case 0x32: // DUP
        stack.push(this.top());
        break;
      case 0x4e: // NONE
        stack.push(null);
        break;
      case 0x88: // NEWTRUE
        stack.push(true);
        break;
      case 0x89: // NEWFALSE
        stack.push(false);
        break;
      case 0x7d: // EMPTY_DICT
        stack.push(new Map());
        break;
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
      case 0x8f: // EMPTY_SET
        stack.push([]);
        break;
      case 0x74: // TUPLE
      case 0x6c: // LIST
        stack.push(this.toMark());
        break;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        stack.push(this.popMany(code - 0x84));
        break;
      case 0x64: // DICT
        stack.push(this.filled(new Map(), this.toMark()));
        break;
      case 0x73: // SETITEM
        this.filled(undefined, this.popMany(2));
        break;
      case 0x75: // SETITEMS
        this.filled(undefined, this.toMark());
        break;
      case 0x61: // APPEND
        this.appended(this.popMany(1));
        break;
      case 0x65: // APPENDS
      case 0x90: // ADDITEMS
        this.appended(this.toMark());
        break;
      case 0x63: // GLOBAL
        stack.push(this.rules.global(this.line(), this.line()));
        break;
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = this.popMany(2);
        if (typeof module !== 'string' || typeof name !== 'string')
          throw new Error('it names what is no text');
        stack.push(this.rules.global(module, name));
        break;
      }
      case 0x52: // REDUCE
      case 0x81: // NEWOBJ
        this.call();
        break;
      case 0x62: // BUILD
        this.build();
        break;
      case 0x51: // BINPERSID
        stack.push(this.rules.persistent(this.pop()));
        break;
      default:
        if (!this.memoStep(code) && !this.literal(code))
          throw new Error(`opcode 0x${code.toString(16)} at byte ${this.at - 1} is not known`);
    }
  }

  private memoStep(code: number): boolean {
    switch (code) {
      case 0x71: // BINPUT
        this.memo.set(this.uint8(), this.top());
        return true;
      case 0x72: // LONG_BINPUT
        this.memo.set(this.uint32(), this.top());
        return true;
      case 0x94: // MEMOIZE
        this.memo.set(this.memo.size, this.top());
        return true;
      case 0x68: // BINGET
        this.recall(this.uint8());
        return true;
      case 0x6a: // LONG_BINGET
        this.recall(this.uint32());
        return true;
      default:
        return false;
    }
  }

  private literal(code: number): boolean {
    const value = this.literalValue(code);
    if (value === undefined) return false;
    this.stack.push(value);
    return true;
  }

  private literalValue(code: number): PickleValue | undefined {
    switch (code) {
      case 0x4a: {
        // BININT
        this.need(4);
        const value = this.view.getInt32(this.at, true);
        this.at += 4;
        return value;
      }
      case 0x4b: // BININT1
        return this.uint8();
      case 0x4d: {
        // BININT2
        this.need(2);
        const value = this.view.getUint16(this.at, true);
        this.at += 2;
        return value;
      }
      case 0x8a: // LONG1
        return this.long(this.uint8());
      case 0x8b: // LONG4
        return this.long(this.uint32());
      case 0x47: {
        // BINFLOAT
        this.need(8);
        const value = this.view.getFloat64(this.at, false);
        this.at += 8;
        return value;
      }
      case 0x58: // BINUNICODE
      case 0x54: // BINSTRING
        return this.text(this.uint32());
      case 0x8c: // SHORT_BINUNICODE
      case 0x55: // SHORT_BINSTRING
        return this.text(this.uint8());
      case 0x8d: // BINUNICODE8
        return this.text(this.uint64());
      case 0x43: // SHORT_BINBYTES
        return this.take(this.uint8());
      case 0x42: // BINBYTES
        return this.take(this.uint32());
      default:
        return undefined;
    }
  }

  private call(): void {
    const [callee, args] = this.popMany(2);
    if (!(callee instanceof PickleGlobal) || !Array.isArray(args))
      throw new Error('it calls what is no function');
    this.stack.push(callee.make(args));
  }

  /** State of an object: a dictionary's own attributes (torch: `_metadata`) change nothing, others are refused. */
  private build(): void {
    this.pop();
    if (!(this.top() instanceof Map)) throw new Error('it sets the state of an object that is no dictionary');
  }

  private filled(into: Map<PickleValue, PickleValue> | undefined, items: PickleValue[]): PickleValue {
    const map = into ?? this.top();
    if (!(map instanceof Map) || items.length % 2 !== 0)
      throw new Error('it sets items of what is no dictionary');
    for (let i = 0; i < items.length; i += 2) map.set(items[i] as PickleValue, items[i + 1] as PickleValue);
    return map;
  }

  private appended(items: PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw new Error('it appends to what is no list');
    for (const item of items) list.push(item);
  }

  private recall(key: number): void {
    if (!this.memo.has(key)) throw new Error(`it recalls ${key}, which was never kept`);
    this.stack.push(this.memo.get(key) as PickleValue);
  }

  private top(): PickleValue {
    const value = this.stack.at(-1);
    if (value === undefined || value === MARK) throw new Error('its stack is empty');
    return value;
  }

  private pop(): PickleValue {
    const value = this.top();
    this.stack.pop();
    return value;
  }

  private popMany(count: number): PickleValue[] {
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  private toMark(): PickleValue[] {
    const mark = this.stack.lastIndexOf(MARK);
    if (mark < 0) throw new Error('a mark is missing');
    const items = this.stack.splice(mark);
    return items.slice(1) as PickleValue[];
  }

  private long(bytes: number): PickleValue {
    const digits = this.take(bytes);
    let value = 0n;
    for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(digits[i] as number);
    if (bytes > 0 && (digits[bytes - 1] as number) >= 0x80) value -= 1n << BigInt(8 * bytes);
    return value >= -(2n ** 53n) && value <= 2n ** 53n ? Number(value) : value;
  }

  private text(length: number): string {
    return Buffer.from(this.take(length)).toString('utf8');
  }

  private line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw new Error('it ends inside a name');
    const text = this.text(end - this.at);
    this.at++;
    return text;
  }

  private take(length: number): Uint8Array {
    this.need(length);
    const bytes = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return bytes;
  }

  private skip(length: number): void {
    this.need(length);
    this.at += length;
  }

  private need(length: number): void {
    if (this.at + length > this.bytes.length)
      throw new Error(`it ends at byte ${this.bytes.length}, too early`);
  }

  private uint8(): number {
    this.need(1);
    return this.bytes[this.at++] as number;
  }

  private uint32(): number {
    this.need(4);
    const value = this.view.getUint32(this.at, true);
    this.at += 4;
    return value;
  }

  private uint64(): number {
    this.need(8);
    const value = Number(this.view.getBigUint64(this.at, true));
    this.at += 8;
    return value;
  }
}
