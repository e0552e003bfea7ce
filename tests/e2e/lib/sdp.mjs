// SPDX-License-Identifier: BSD-3-Clause
// As much SDP as the rig needs: split, look up, write a plain phone's offers and answers.

export function parseSdp(text) {
  const [session, ...rest] = text.trim().split(/\r?\nm=/);
  const sdp = { session: session.split(/\r?\n/), text };
  sdp.medias = rest.map((block) => {
    const lines = `m=${block}`.split(/\r?\n/);
    const [, kind, port, proto, pts] = /^m=(\S+) (\d+)(?:\/\d+)? (\S+) (.*)$/.exec(lines[0]);
    return { kind, port: Number(port), proto, pts: pts.split(' '), lines };
  });
  return sdp;
}

/** Values of all a=NAME lines of a media (or of the session with media = null). */
export function attrs(sdp, media, name) {
  const lines = media ? media.lines : sdp.session;
  return lines.filter((l) => l === `a=${name}` || l.startsWith(`a=${name}:`)).map((l) => l.slice(3 + name.length));
}

/** First payload type of a media whose rtpmap has this codec name. */
export function ptOf(media, name) {
  for (const l of media.lines) {
    const m = /^a=rtpmap:(\d+) ([^/]+)\/(\d+)/.exec(l);
    if (m && m[2].toLowerCase() === name.toLowerCase()) return Number(m[1]);
  }
  const fixed = { PCMU: '0', PCMA: '8', G722: '9' }[name];
  return fixed && media.pts.includes(fixed) ? Number(fixed) : null;
}

export function directionOf(sdp, media) {
  const all = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];
  const find = (lines) => all.find((d) => lines.includes(`a=${d}`));
  return find(media.lines) ?? find(sdp.session) ?? 'sendrecv';
}

/** The same for the first media of an SDP text. */
export const directionIn = (text) => directionOf(parseSdp(text), parseSdp(text).medias[0]);

/** Where a media wants its RTP and RTCP. */
export function destination(sdp, media) {
  const c = (media.lines.find((l) => l.startsWith('c=')) ?? sdp.session.find((l) => l.startsWith('c='))).split(' ')[2];
  const rtcp = attrs(sdp, media, 'rtcp')[0];
  const mux = attrs(sdp, media, 'rtcp-mux').length > 0;
  return { ip: c, port: media.port, rtcpPort: mux ? media.port : rtcp ? Number(rtcp.split(' ')[0]) : media.port + 1 };
}

const MIRROR = { sendrecv: 'sendrecv', sendonly: 'recvonly', recvonly: 'sendonly', inactive: 'inactive' };
let version = 1;

function head(ip) {
  const fam = ip.includes(':') ? 'IP6' : 'IP4';
  return ['v=0', `o=- 4711 ${version++} IN ${fam} ${ip}`, 's=-', `c=IN ${fam} ${ip}`, 't=0 0'];
}

/** A plain phone's answer: `ports` = { audio, video } (missing or 0 refuses); audio is PCMA, video VP8. */
export function phoneAnswer(offerText, ip, ports, { direction } = {}) {
  const offer = parseSdp(offerText);
  const out = head(ip);
  for (const m of offer.medias) {
    const pt = m.kind === 'audio' ? ptOf(m, 'PCMA') : m.kind === 'video' ? ptOf(m, 'VP8') : null;
    const port = m.port && pt !== null ? ports[m.kind] ?? 0 : 0;
    if (!port) { out.push(`m=${m.kind} 0 ${m.proto} ${m.pts.join(' ')}`); continue; }
    out.push(`m=${m.kind} ${port} ${m.proto} ${pt}`, `a=rtpmap:${pt} ${m.kind === 'audio' ? 'PCMA/8000' : 'VP8/90000'}`);
    if (m.kind === 'video' && /F$/.test(m.proto)) out.push(`a=rtcp-fb:${pt} nack pli`, `a=rtcp-fb:${pt} ccm fir`);
    out.push(`a=${direction ?? MIRROR[directionOf(offer, m)]}`);
  }
  return `${out.join('\r\n')}\r\n`;
}

/** A plain phone's offer. */
export function phoneOffer(ip, ports, { direction = 'sendrecv' } = {}) {
  const out = head(ip);
  if (ports.audio) out.push(`m=audio ${ports.audio} RTP/AVP 8 0 101`, 'a=rtpmap:8 PCMA/8000', 'a=rtpmap:0 PCMU/8000', 'a=rtpmap:101 telephone-event/8000', 'a=fmtp:101 0-15', 'a=ptime:20', `a=${direction}`);
  if (ports.video) out.push(`m=video ${ports.video} RTP/AVPF 97`, 'a=rtpmap:97 VP8/90000', 'a=rtcp-fb:97 nack pli', 'a=rtcp-fb:97 ccm fir', `a=${direction}`);
  return `${out.join('\r\n')}\r\n`;
}

/** Lines of an SDP toward an IMS core which a browser would understand and an IMS phone must not see. */
export function leaksTowardIms(text) {
  const sdp = parseSdp(text);
  const bad = /^a=(candidate|ice-|fingerprint|setup|mid|msid|ssrc|ssrc-group|rtcp-mux|rtcp-rsize|group|extmap-allow-mixed|end-of-candidates|crypto)|0\.0\.0\.0|\b(red|rtx|ulpfec|flexfec-03)\/|telephone-event\/48000(?!.*opus)/;
  const out = [...sdp.session, ...sdp.medias.filter((m) => m.port).flatMap((m) => m.lines)].filter((l) => bad.test(l));
  for (const m of sdp.medias.filter((x) => x.kind === 'audio' && x.port))
    out.push(...m.lines.filter((l) => /^a=(extmap|rtcp-fb)/.test(l)));
  // 48 kHz DTMF may stay beside a 48 kHz codec
  return out.filter((l) => !(/telephone-event\/48000/.test(l) && /opus\/48000/i.test(text)));
}
