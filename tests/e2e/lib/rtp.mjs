// SPDX-License-Identifier: BSD-3-Clause
// A plain RTP phone for the core side: sends a G.711 A-law tone, payloads that it is given, or echoes; records what comes, speaks some RTCP.
// Runs inside the agent of the core namespace; knows no SDP.
import dgram from 'node:dgram';
import { randomBytes } from 'node:crypto';
import { alawToLinear, linearToAlaw, linearToUlaw, rms, toneShare, ulawToLinear } from './tone.mjs';

const FRAME = 160; // 20 ms of G.711
const KEEP = 8000; // samples kept for tone detection: the last second
const KEEP_PAYLOADS = 100; // two seconds of 20 ms
const KEEP_EVENTS = 1000; // telephone-event packets
const EVENT_ENDS = 3; // RFC 4733 section 2.5.1.4
const KEEP_LOG = 1000; // packets whose time is kept

function bind(address, port) {
  const s = dgram.createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 1 << 20 });
  return new Promise((done, fail) => {
    s.once('error', fail);
    s.bind(port, address, () => {
      s.removeListener('error', fail);
      s.on('error', () => {});
      done(s);
    });
  });
}

export class RtpPhone {
  /** mode: tone | echo | silent; frame: samples in a packet; keep: payloads that heard() knows; reports: whether it sends any. */
  static async open({ address, port, mode = 'tone', tone = 1000, pt = 8, frame = FRAME, video = false, seq, keep = KEEP_PAYLOADS, reports = true }) {
    const p = new RtpPhone();
    Object.assign(p, { address, port, mode, tone, pt, frame, video, keep, reports, log: [], dialed: [] });
    p.rtp = await bind(address, port);
    p.rtcp = await bind(address, port + 1);
    p.ssrc = randomBytes(4).readUInt32BE();
    p.seq = seq ?? randomBytes(2).readUInt16BE();
    p.ts = randomBytes(4).readUInt32BE();
    p.sent = { packets: 0, bytes: 0, rtcp: 0 };
    p.mark();
    p.rtp.on('message', (m, from) => p.#onPacket(m, from));
    p.rtcp.on('message', (m, from) => p.#onRtcp(m, from, 'rtcp-port'));
    return p;
  }

  /** Forgets what was received; the next stats() tell what came since. */
  mark() {
    this.rx = { packets: 0, bytes: 0, ssrcs: {}, pts: {}, sources: {}, extensions: 0, rtcpOnRtp: 0, other: 0, maxGapMs: 0, seqGaps: 0 };
    this.lastArrival = 0;
    this.lastSeq = null;
    this.rtcpRx = { sr: 0, rr: 0, sdes: 0, bye: 0, pli: 0, fir: 0, nack: 0, remb: 0, other: 0, packets: 0, sources: {} };
    this.samples = [];
    this.payloads = [];
    this.events = [];
  }

  /** The last payloads without header extensions: [{ pt, timestamp, hex }]. */
  heard() { return this.payloads; }

  /** Forgets only the sound, so that what is heard next is new. */
  fresh() { this.samples = []; this.payloads = []; }

  /** Telephone events of that payload type since mark(): [{ event, end, duration, marker, ts }]. */
  eventsOf(pt) { return this.events.filter((e) => e.pt === pt); }

  #onPacket(m, from) {
    if (m.length >= 8 && m[1] >= 192 && m[1] <= 223) {
      this.rx.rtcpOnRtp++;
      return this.#onRtcp(m, from, 'rtp-port');
    }
    if (m.length < 12 || (m[0] & 0xc0) !== 0x80) { this.rx.other++; return; }
    const now = performance.now();
    const r = this.rx;
    r.packets++;
    r.bytes += m.length;
    r.firstAt ??= Date.now();
    r.lastAt = Date.now();
    const ssrc = m.readUInt32BE(8);
    r.ssrcs[ssrc] = (r.ssrcs[ssrc] ?? 0) + 1;
    r.pts[m[1] & 0x7f] = (r.pts[m[1] & 0x7f] ?? 0) + 1;
    const source = `${from.address}:${from.port}`;
    r.sources[source] = (r.sources[source] ?? 0) + 1;
    if (m[0] & 0x10) r.extensions++;
    if (this.lastArrival && now - this.lastArrival > r.maxGapMs) r.maxGapMs = now - this.lastArrival;
    this.lastArrival = now;
    const seq = m.readUInt16BE(2);
    if (this.lastSeq !== null && ((seq - this.lastSeq) & 0xffff) !== 1) r.seqGaps++;
    this.lastSeq = seq;
    this.remoteSsrc = ssrc;
    this.#payload(m);
    if (this.mode === 'echo') this.#echo(m);
  }

  #payload(m) {
    const pt = m[1] & 0x7f;
    const payload = m.subarray(12 + 4 * (m[0] & 15));
    this.payloads.push({ pt, timestamp: m.readUInt32BE(4), hex: payload.toString('hex') });
    if (this.payloads.length > this.keep) this.payloads.shift();
    if (payload.length === 4 && this.events.length < KEEP_EVENTS)
      this.events.push({ pt, event: payload[0], end: payload[1] >> 7 === 1, duration: payload.readUInt16BE(2), marker: m[1] >> 7 === 1, ts: m.readUInt32BE(4) });
    if (this.video || (pt !== 8 && pt !== 0)) return;
    let at = 12 + 4 * (m[0] & 15);
    if (m[0] & 0x10) at += 4 + 4 * m.readUInt16BE(at + 2);
    const law = pt === 8 ? alawToLinear : ulawToLinear;
    for (; at < m.length; at++) this.samples.push(law(m[at]));
    if (this.samples.length > 2 * KEEP) this.samples = this.samples.slice(-KEEP);
  }

  #echo(m) {
    if (!this.remote || this.muted) return;
    const out = Buffer.from(m);
    out.writeUInt32BE(this.ssrc, 8);
    this.#sendRtp(out);
  }

  #onRtcp(m, from, where) {
    const c = this.rtcpRx;
    c.packets++;
    c.lastAt = Date.now();
    c.sources[`${where} ${from.address}:${from.port}`] = (c.sources[`${where} ${from.address}:${from.port}`] ?? 0) + 1;
    for (let at = 0; at + 4 <= m.length;) {
      const fmt = m[at] & 31;
      const kind = { 200: 'sr', 201: 'rr', 202: 'sdes', 203: 'bye' }[m[at + 1]]
        ?? (m[at + 1] === 206 ? { 1: 'pli', 4: 'fir', 15: 'remb' }[fmt] : m[at + 1] === 205 && fmt === 1 ? 'nack' : null) ?? 'other';
      c[kind]++;
      if (kind === 'sr' && at + 16 <= m.length) this.heardSr = { middle: m.readUInt32BE(at + 10), at: performance.now() };
      if ((kind === 'pli' || kind === 'fir') && this.mode === 'echo') this.sendPli();
      at += 4 + 4 * m.readUInt16BE(at + 2);
    }
  }

  setRemote({ ip, port, rtcpPort }) {
    this.remote = { ip, port, rtcpPort: rtcpPort ?? port + 1 };
  }

  start() {
    if (this.timer) return;
    let due = performance.now();
    const tick = () => {
      while (due <= performance.now()) {
        if (this.mode === 'tone') this.#sendTone();
        due += this.frame / 8;
      }
      this.timer = setTimeout(tick, Math.max(1, due - performance.now()));
    };
    tick();
    if (this.reports) this.rtcpTimer = setInterval(() => this.#sendReport(), 1000);
  }

  mute(muted) { this.muted = muted; }

  stopSending() {
    clearTimeout(this.timer);
    clearInterval(this.rtcpTimer);
    this.timer = this.rtcpTimer = null;
  }

  #sendTone() {
    const digit = this.#dialedNow();
    if (digit?.event !== undefined) this.#sendEvent(digit);
    else this.#sendAudio(digit?.tones ?? [this.tone]);
  }

  /** The digit whose turn it is; undefined during its pause, too. */
  #dialedNow() {
    const first = this.dialed[0];
    if (!first) return undefined;
    first.at = (first.at ?? -1) + 1;
    if (first.at < first.packets) return first;
    if (first.at >= first.packets + first.pause - 1) this.dialed.shift();
    return undefined;
  }

  #header(pt, marker, len) {
    const b = Buffer.alloc(12 + len);
    b[0] = 0x80;
    b[1] = pt | (marker ? 0x80 : 0);
    b.writeUInt16BE(this.seq = (this.seq + 1) & 0xffff, 2);
    b.writeUInt32BE(this.ts, 4);
    b.writeUInt32BE(this.ssrc, 8);
    return b;
  }

  #sendAudio(tones) {
    this.ts = (this.ts + this.#units()) >>> 0;
    const payload = this.frames ? Buffer.from(this.frames[(this.frameAt = (this.frameAt + 1) % this.frames.length)], 'hex') : this.#tone(tones);
    if (payload.length === 0) return;
    const b = Buffer.concat([this.#header(this.pt, this.sent.packets === 0, 0), payload]);
    if (this.muted) return;
    this.#sendRtp(b);
    this.log.push({ at: Date.now(), ts: this.ts });
    if (this.log.length > KEEP_LOG) this.log.shift();
  }

  #tone(tones) {
    const level = 8000 / tones.length;
    const at = (i) => tones.reduce((sum, hz) => sum + level * Math.sin(((2 * Math.PI * hz) / 8000) * ((this.ts + i) % 8000)), 0);
    const law = this.pt === 0 ? linearToUlaw : linearToAlaw;
    return Uint8Array.from({ length: this.frame }, (_, i) => law(Math.round(at(i))));
  }

  /** Units of the audio's clock in a packet. */
  #units() { return this.frame * ((this.clock ?? 8000) / 8000); }

  /** The timestamp stays at the digit's beginning (RFC 4733 section 2.5.1.2). */
  #sendEvent(digit) {
    const last = digit.at === digit.packets - 1;
    if (digit.at === 0) digit.ts = (this.ts + this.#units()) >>> 0;
    this.ts = digit.ts;
    for (let i = 0; i < (last ? EVENT_ENDS : 1); i++) {
      const b = this.#header(digit.pt, digit.at === 0 && i === 0, 4);
      b[12] = digit.event;
      b[13] = (last ? 0x80 : 0) | 10;
      b.writeUInt16BE((digit.at + 1) * this.#units(), 14);
      this.#sendRtp(b);
    }
    this.ts = (digit.ts + digit.at * this.#units()) >>> 0;
  }

  /** Digits one after the other, so many packets long and apart: { tones: [Hz, Hz] } within the audio, or { event, pt } beside it. */
  dial(digits, packets, pause = 1) {
    this.dialed.push(...digits.map((d) => ({ ...d, packets, pause })));
  }

  /** Other packets from the next one on: { pt, frame, clock, frames }; clock: of the timestamps; frames: payloads (hex; '' = nothing is
   *  sent), over and over, in place of G.711. */
  speak(how) {
    Object.assign(this, { frames: undefined, frameAt: 0, clock: 8000 }, how);
  }

  /** Another source of sound from now on, as after a transfer. */
  changeSsrc(seq = randomBytes(2).readUInt16BE()) {
    this.ssrc = randomBytes(4).readUInt32BE();
    this.seq = seq;
  }

  /** Sends short packets as fast as `peer` takes them (without: a few a millisecond): rtpengine 10.5 gives up a port whose
   *  queue has held 50 some times. */
  async burst(packets, peer) {
    const WINDOW = 30;
    let ahead = 0;
    let came = peer?.rx.packets;
    let cameAt = performance.now();
    for (let left = packets; left > 0;) {
      for (; ahead < (peer ? WINDOW : 4) && left > 0; left--, ahead++) this.#sendShort();
      await new Promise((done) => setTimeout(done, 1));
      const now = peer?.rx.packets;
      if (now !== came || performance.now() - cameAt > 200) cameAt = performance.now(); // what is not there by now is lost
      ahead = !peer || performance.now() === cameAt ? 0 : Math.max(0, ahead - (now - came));
      came = now;
    }
  }

  #sendShort() {
    const b = Buffer.alloc(12 + 4, 0xd5); // A-law silence
    b[0] = 0x80;
    b[1] = this.pt;
    b.writeUInt16BE(this.seq = (this.seq + 1) & 0xffff, 2);
    b.writeUInt32BE(this.ts = (this.ts + 4) >>> 0, 4);
    b.writeUInt32BE(this.ssrc, 8);
    this.#sendRtp(b);
  }

  #sendRtp(b) {
    if (!this.remote) return;
    this.sent.packets++;
    this.sent.bytes += b.length;
    this.lastTs = b.readUInt32BE(4);
    this.rtp.send(b, this.remote.port, this.remote.ip);
  }

  /** Any datagram to any place from the RTP socket: for strangers and bad packets. */
  sendRaw(hex, ip, port) {
    this.rtp.send(Buffer.from(hex, 'hex'), port, ip);
  }

  #sendReport() {
    if (!this.remote) return;
    const block = this.#reportBlock();
    const sr = Buffer.alloc(28);
    sr[0] = block.length ? 0x81 : 0x80;
    sr[1] = 200;
    sr.writeUInt16BE(6 + block.length / 4, 2);
    sr.writeUInt32BE(this.ssrc, 4);
    const now = Date.now();
    sr.writeUInt32BE((Math.floor(now / 1000) + 2208988800) >>> 0, 8);
    sr.writeUInt32BE(Math.floor(((now % 1000) / 1000) * 2 ** 32), 12);
    sr.writeUInt32BE(this.lastTs ?? this.ts, 16);
    sr.writeUInt32BE(this.sent.packets, 20);
    sr.writeUInt32BE(this.sent.bytes % 2 ** 32, 24);
    this.#sendRtcp(Buffer.concat([sr, block, this.#cname()]));
  }

  /** Of the stream that comes, once an SR of it has: nothing lost, no jitter, and since when (RFC 3550 section 6.4.1). */
  #reportBlock() {
    if (!this.heardSr || !this.remoteSsrc) return Buffer.alloc(0);
    const b = Buffer.alloc(24);
    b.writeUInt32BE(this.remoteSsrc, 0);
    b.writeUInt32BE(this.lastSeq, 8);
    b.writeUInt32BE(this.heardSr.middle, 16);
    b.writeUInt32BE(Math.round((performance.now() - this.heardSr.at) * 65.536), 20);
    return b;
  }

  #cname() {
    const name = Buffer.from('phone@core');
    const len = 4 + 2 + name.length + 1;
    const sdes = Buffer.alloc(4 + Math.ceil(len / 4) * 4);
    sdes[0] = 0x81;
    sdes[1] = 202;
    sdes.writeUInt16BE(sdes.length / 4 - 1, 2);
    sdes.writeUInt32BE(this.ssrc, 4);
    sdes[8] = 1;
    sdes[9] = name.length;
    name.copy(sdes, 10);
    return sdes;
  }

  /** Asks the far encoder for a key frame (RFC 4585 section 6.3.1). */
  sendPli() {
    if (!this.remoteSsrc || !this.remote) return;
    const b = Buffer.alloc(12);
    b[0] = 0x81;
    b[1] = 206;
    b.writeUInt16BE(2, 2);
    b.writeUInt32BE(this.ssrc, 4);
    b.writeUInt32BE(this.remoteSsrc, 8);
    this.#sendRtcp(b);
  }

  #sendRtcp(b) {
    this.sent.rtcp++;
    this.rtcp.send(b, this.remote.rtcpPort, this.remote.ip);
  }

  /** What was received since mark(); `freqs`: tones to look for in the last half second. */
  stats(freqs = []) {
    const last = this.samples.slice(-KEEP / 2);
    return {
      rx: this.rx, rtcp: this.rtcpRx, sent: this.sent, ssrc: this.ssrc,
      silentMs: this.lastArrival ? performance.now() - this.lastArrival : null,
      rms: last.length < KEEP / 2 ? 0 : rms(last),
      tones: Object.fromEntries(freqs.map((f) => [f, toneShare(last, 8000, f)])),
    };
  }

  /** When its last packets of a tone went out: [{ at (ms), ts }]. */
  sentLog() { return this.log; }

  close() {
    this.stopSending();
    this.rtp.close();
    this.rtcp.close();
  }
}
