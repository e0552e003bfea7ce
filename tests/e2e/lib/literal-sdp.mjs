// SPDX-License-Identifier: BSD-3-Clause
// Two gateways choose other ports, keys and names: what is left of an SDP when those are taken away, line by line.

const secret = (line) => line
  .replace(/^(a=ice-ufrag:).*/, '$1*')
  .replace(/^(a=ice-pwd:).*/, '$1*')
  .replace(/^(a=fingerprint:\S+).*/, '$1 *')
  .replace(/^(a=tls-id:).*/, '$1*')
  .replace(/^(a=rtpengine|a=eims-agw):.*/, 'a=LOOP-MARK')
  .replace(/^(a=crypto:\d+ \S+ inline:).*/, '$1*')
  .replace(/^(a=mid:)\d+$/, '$1*')
  .replace(/^(a=msid:).*/, '$1*')
  .replace(/^(a=ssrc:).*/, '$1*');

/** "a=candidate:F 1 UDP 2130706175 10.0.0.1 30000 typ host" without foundation, priority and port. */
const candidate = (line, port) => line.replace(/^a=candidate:\S+ (\d) (\S+) \d+ (\S+) (\d+) (.*)$/i,
  (_, component, transport, ip, p, rest) => `a=candidate:${component} ${transport.toLowerCase()} ${ip} +${p - port} ${rest}`);

function media(block, sessionConn) {
  const lines = `m=${block}`.split(/\r?\n/).filter((l) => l !== '');
  const port = Number(lines[0].split(' ')[1]);
  const out = lines.map((l) => candidate(secret(l), port)
    .replace(/^(m=\S+) (\d+)/, (_, m, p) => `${m} ${p === '0' ? 0 : 'PORT'}`)
    .replace(/^a=rtcp:(\d+)/, (_, p) => `a=rtcp:+${p - port}`));
  const conn = out.find((l) => l.startsWith('c=')) ?? sessionConn;
  return [out[0], conn, ...out.slice(1).filter((l) => !l.startsWith('c=')).sort()];
}

/** Lines in an order of their own, c= in each media; ["v=0", ...]. */
export function plainLines(sdp) {
  const [session, ...medias] = sdp.trim().split(/\r?\nm=/);
  const lines = session.split(/\r?\n/).map(secret);
  const conn = lines.find((l) => l.startsWith('c=')) ?? '';
  return [...lines.filter((l) => !l.startsWith('c=')).sort(), ...medias.flatMap((m) => media(m, conn))];
}

/** "-line" for what only the first has, "+line" for what only the second has, in their order. */
export function difference(first, second) {
  const left = [...second], out = [];
  for (const line of first) {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    else out.push(`-${line}`);
  }
  return [...out, ...left.map((l) => `+${l}`)];
}
