// SPDX-License-Identifier: BSD-3-Clause
// bencode for the ng protocol: strings are UTF-8, dictionaries keep their order.

export function encode(v) {
  if (typeof v === 'number') return Buffer.from(`i${Math.trunc(v)}e`);
  if (Array.isArray(v)) return Buffer.concat([Buffer.from('l'), ...v.map(encode), Buffer.from('e')]);
  if (v && typeof v === 'object' && !Buffer.isBuffer(v)) {
    const parts = Object.entries(v).filter(([, x]) => x !== undefined).flatMap(([k, x]) => [encode(k), encode(x)]);
    return Buffer.concat([Buffer.from('d'), ...parts, Buffer.from('e')]);
  }
  const b = Buffer.isBuffer(v) ? v : Buffer.from(String(v));
  return Buffer.concat([Buffer.from(`${b.length}:`), b]);
}

export function decode(buf) {
  let at = 0;
  const value = () => {
    const c = String.fromCharCode(buf[at]);
    if (c === 'i') {
      const end = buf.indexOf('e', at);
      const n = Number(buf.subarray(at + 1, end).toString());
      at = end + 1;
      return n;
    }
    if (c === 'l' || c === 'd') {
      at++;
      const list = [];
      while (buf[at] !== 0x65) {
        if (at >= buf.length) throw new Error('bencode: truncated');
        list.push(value());
      }
      at++;
      if (c === 'l') return list;
      const dict = {};
      for (let i = 0; i < list.length; i += 2) dict[list[i]] = list[i + 1];
      return dict;
    }
    const colon = buf.indexOf(':', at);
    const len = Number(buf.subarray(at, colon).toString());
    if (!/\d/.test(c) || !Number.isInteger(len)) throw new Error(`bencode: unexpected byte at ${at}`);
    at = colon + 1 + len;
    return buf.subarray(colon + 1, at).toString();
  };
  return value();
}
