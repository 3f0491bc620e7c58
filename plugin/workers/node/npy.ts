/** An array of NumPy's: its numbers in the order of the file. */
export interface NpyArray {
  /** Length along each axis; empty for a single number. */
  readonly shape: readonly number[];
  /** Whether the first axis varies fastest. */
  readonly fortranOrder: boolean;
  readonly data: ArrayLike<number | bigint | boolean>;
}

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');

type Reader = (view: DataView, at: number, little: boolean) => number | bigint | boolean;

const READERS: Readonly<Record<string, Reader>> = {
  b1: (view, at) => view.getUint8(at) !== 0,
  i1: (view, at) => view.getInt8(at),
  i2: (view, at, little) => view.getInt16(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  i8: (view, at, little) => view.getBigInt64(at, little),
  u1: (view, at) => view.getUint8(at),
  u2: (view, at, little) => view.getUint16(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  u8: (view, at, little) => view.getBigUint64(at, little),
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
};

/**
 * Reads a file of the NPY format, versions 1 to 3 (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html):
 * numbers and truth values. Whole numbers of 64 bits become numbers where these are exact, else bigints.
 *
 * @throws TypeError for pickled objects, texts and structures, which only NumPy reads; SyntaxError for damaged files
 */
export function readNpy(bytes: Uint8Array): NpyArray {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < 12 || !buffer.subarray(0, 6).equals(MAGIC)) throw new SyntaxError('it is no .npy file');
  const wide = (buffer[6] ?? 1) > 1;
  const start = wide ? 12 : 10;
  const from = start + (wide ? buffer.readUInt32LE(8) : buffer.readUInt16LE(8));
  const header = buffer.toString('utf8', start, from);
  const descr = /'descr':\s*'([<>|=])(\w+)'/.exec(header);
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const axes = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  const read = READERS[descr?.[2] ?? ''];
  if (descr === null || read === undefined)
    throw new TypeError('only arrays of numbers and truth values can be read');
  if (order === undefined || axes === undefined) throw new SyntaxError('its header is damaged');
  const shape = axes
    .split(',')
    .map((axis) => axis.trim())
    .filter(Boolean)
    .map(Number);
  const length = shape.reduce((product, axis) => product * axis, 1);
  const size = Number(descr[2]?.slice(1));
  if (buffer.length < from + length * size) throw new SyntaxError('it is shorter than its header says');
  const view = new DataView(buffer.buffer, buffer.byteOffset + from, length * size);
  const little = descr[1] !== '>';
  const data = Array.from({ length }, (_, i) => narrow(read(view, i * size, little)));
  return { shape, fortranOrder: order === 'True', data };
}

function narrow(value: number | bigint | boolean): number | bigint | boolean {
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
