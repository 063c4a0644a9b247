import { FormatError } from '../errors.js';
import { decodeJpeg } from './jpeg.js';
import type { TiffImage } from './tiff-image.js';

/** A JPEG inside a TIFF → its samples; YCbCr becomes RGB, and the picture must be as wide as the block. */
export function decodeJpegBlock(bytes: Uint8Array, rawBytes: number, image: TiffImage): Uint8Array {
  const { form, jpegTables, ycbcr } = image;
  // The last strip may hold a picture of a whole strip, and some are taller still.
  const most = 4 * rawBytes + 65536;
  const picture = decodeJpeg(bytes, { tables: jpegTables, toRgb: ycbcr !== null, most });
  if (form.bits !== 8 || picture.width !== form.width || picture.nComponent !== form.nSample) {
    throw new FormatError(
      `a JPEG of ${picture.width} px with ${picture.nComponent} components, where ${form.width} px with ${form.nSample} samples of ${form.bits} bits are wanted`,
    );
  }
  return picture.samples;
}
