/**
 * The thread of `thumbnail.render`: takes `{ png, width }` as its workerData, answers once and ends.
 *
 * Every pixel of the thumbnail is the average of the area it covers in the source. Averages are taken
 * in linear light, because bytes of sRGB are spaced for the eye and their mean is too dark, and
 * weighted by opacity, so that the colour of what cannot be seen does not bleed into what can.
 */
import { parentPort, workerData } from "node:worker_threads";
import { PNG } from "pngjs";

/** Decoding takes about 12 bytes a pixel. */
const PIXELS_MAX = 4_096 * 4_096;
const SIDE_MAX = 16_384;
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Light of each byte of sRGB, 0 to 1 (IEC 61966-2-1). */
const LIGHT_OF = Float64Array.from({ length: 256 }, (_byte, value) => {
  const share = value / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
});

/**
 * @typedef {{ width: number, height: number, data: Uint8Array }} Picture RGBA, 8 bits each.
 * @typedef {{ at: number, share: number }} Cover A source row or column, and its share of a target one.
 */

/** @param {{ png: Uint8Array, width: number }} task */
function answerOf(task) {
  const png = Buffer.from(task.png.buffer, task.png.byteOffset, task.png.byteLength);
  const reason = reasonToRefuse(png);
  if (reason !== null) return { kind: "refused", reason };
  const source = decode(png);
  if (source === null) return { kind: "refused", reason: "is a damaged PNG" };
  const thumbnail = shrink(source, task.width);
  const { width, height } = thumbnail;
  return { kind: "shrunk", png: PNG.sync.write(thumbnail), width, height };
}

/**
 * Judges by the header alone, before anything is unpacked: a small file can claim to be a huge picture.
 * The decoder believes the last header it meets and unpacks interlaced pictures without a limit, so
 * neither gets through.
 *
 * @param {Buffer} png
 * @returns {string | null}
 */
function reasonToRefuse(png) {
  const [header, ...others] = headersOf(png);
  if (header === undefined) return "is not a PNG";
  if (others.length > 0) return "is a damaged PNG";
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  if (width * height === 0) return "is a damaged PNG";
  if (width * height > PIXELS_MAX || Math.max(width, height) > SIDE_MAX) {
    return `is ${width} by ${height} pixels; at most ${PIXELS_MAX} are read, and ${SIDE_MAX} a side`;
  }
  if (header[12] !== 0) return "is an interlaced PNG, which is not supported";
  return null;
}

/**
 * What the header chunks hold; a sound PNG has one. A chunk is its length (4 bytes), its name (4), that
 * many bytes, and a checksum (4).
 *
 * @param {Buffer} png
 * @returns {Buffer[]}
 */
function headersOf(png) {
  const headers = [];
  if (!png.subarray(0, SIGNATURE.length).equals(SIGNATURE)) return [];
  for (let at = SIGNATURE.length; at + 8 <= png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString("latin1", at + 4, at + 8) === "IHDR") headers.push(png.subarray(at + 8, at + 21));
  }
  return headers.filter((header) => header.length === 13);
}

/**
 * @param {Buffer} png
 * @returns {Picture | null} `null` when it is damaged.
 */
function decode(png) {
  try {
    return PNG.sync.read(png);
  } catch {
    return null;
  }
}

/**
 * A thumbnail is never wider than its source.
 *
 * @param {Picture} source
 * @param {number} widthWanted
 */
function shrink(source, widthWanted) {
  const width = Math.min(widthWanted, source.width);
  const height = Math.max(1, Math.round((source.height * width) / source.width));
  const target = new PNG({ width, height });
  const columns = covers(source.width, width);
  const rows = covers(source.height, height);
  for (const [y, row] of rows.entries()) {
    for (const [x, column] of columns.entries()) {
      target.data.set(averageColour(source, row, column), 4 * (y * width + x));
    }
  }
  return target;
}

/**
 * For each of `targetLength` equal parts of a line of `sourceLength` pixels: the pixels it covers, wholly
 * or in part. The shares of a part add up to 1.
 *
 * @param {number} sourceLength
 * @param {number} targetLength
 * @returns {Cover[][]}
 */
function covers(sourceLength, targetLength) {
  const scale = sourceLength / targetLength;
  return Array.from({ length: targetLength }, (_part, index) => {
    const from = index * scale;
    const to = Math.min((index + 1) * scale, sourceLength);
    const covered = [];
    for (let at = Math.floor(from); at < to; at += 1) {
      const share = (Math.min(at + 1, to) - Math.max(at, from)) / scale;
      covered.push({ at, share });
    }
    return covered;
  });
}

/**
 * @param {Picture} source
 * @param {Cover[]} rows
 * @param {Cover[]} columns
 * @returns {number[]} RGBA
 */
function averageColour({ data, width }, rows, columns) {
  let [red, green, blue, opacity] = [0, 0, 0, 0];
  for (const row of rows) {
    for (const column of columns) {
      const at = 4 * (row.at * width + column.at);
      const weight = row.share * column.share * data[at + 3];
      red += weight * LIGHT_OF[data[at]];
      green += weight * LIGHT_OF[data[at + 1]];
      blue += weight * LIGHT_OF[data[at + 2]];
      opacity += weight;
    }
  }
  if (opacity === 0) return [0, 0, 0, 0];
  return [toByte(red / opacity), toByte(green / opacity), toByte(blue / opacity), Math.round(opacity)];
}

/**
 * The byte of sRGB for a light of 0 to 1.
 *
 * @param {number} light
 */
function toByte(light) {
  const share = light <= 0.0031308 ? light * 12.92 : 1.055 * light ** (1 / 2.4) - 0.055;
  return Math.round(share * 255);
}

parentPort?.postMessage(answerOf(workerData));
