/**
 * CRC-32 of parts that were summed one by one, as the whole's (zlib's polynomial): appending `length` bytes to what has `first` moves its
 * remainder by as many zero bytes, which is a product of matrices over GF(2).
 */
export function combineCrc32(first: number, second: number, length: number): number {
  let crc = first >>> 0;
  let bits = byteShift();
  for (let left = length; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) crc = times(bits, crc);
    bits = square(bits);
  }
  return (crc ^ second) >>> 0;
}

type Matrix = Uint32Array<ArrayBuffer>;
const POLYNOMIAL = 0xedb88320;

/** What one zero byte does: eight times what one zero bit does. */
function byteShift(): Matrix {
  const bit = new Uint32Array(32);
  bit[0] = POLYNOMIAL;
  for (let i = 1; i < 32; i++) bit[i] = 2 ** (i - 1);
  return square(square(square(bit)));
}

function times(matrix: Matrix, vector: number): number {
  let sum = 0;
  for (let i = 0, left = vector; left !== 0; i++, left >>>= 1) if (left & 1) sum ^= matrix[i];
  return sum >>> 0;
}

function square(matrix: Matrix): Matrix {
  return matrix.map((row) => times(matrix, row));
}
