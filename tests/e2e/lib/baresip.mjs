// SPDX-License-Identifier: BSD-3-Clause
// Debian's baresip as the IMS phone: sends a tone and a test picture, records what it hears, is driven over its ctrl_tcp module.
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import net from 'node:net';
import { Proc } from './proc.mjs';
import { NET } from './sandbox.mjs';
import { frequency, readWav, rms, toneShare } from './tone.mjs';
import { until } from './wait.mjs';

export const BARESIP_HZ = 1200;
const MODULES = '/usr/lib/baresip/modules';

export class Baresip {
  /** video: '' | 'H264' | 'VP8'; srtp: nothing but SRTP with keys in SDP; codec: of audio, PCMA, AMR or AMR-WB (octet-aligned). */
  static async start({ name, ns, out, registrar, family = 'v4', video = '', srtp = false, user = 'bob', codec = 'PCMA' }) {
    const b = new Baresip();
    b.ip = NET.phone[family];
    const host = family === 'v6' ? `[${b.ip}]` : b.ip;
    b.dir = join(out, name);
    b.rec = join(b.dir, 'rec');
    rmSync(b.dir, { recursive: true, force: true });
    mkdirSync(b.rec, { recursive: true });
    b.calls = [];
    b.events = [];
    writeFileSync(join(b.dir, 'accounts'),
      `<sip:${user}@${registrar}>;auth_user=${user};auth_pass=secret;answermode=auto;audio_codecs=${codec};${video ? `video_codecs=${video};` : ''}${srtp ? 'mediaenc=srtp-mand;' : ''}ptime=20;regint=300\n`);
    writeFileSync(join(b.dir, 'contacts'), '');
    writeFileSync(join(b.dir, 'config'), b.#config(host, video, srtp));
    b.proc = new Proc('baresip', ['baresip', '-f', b.dir], { ns, log: join(b.dir, 'log'), cwd: b.dir });
    await b.proc.printed(/baresip is ready/, 8000);
    await b.#attach();
    await until('baresip is registered', () => b.proc.output.includes('200 OK'), 8000);
    return b;
  }

  #config(host, video, srtp) {
    const modules = ['g711', 'amr', 'ausine', 'aubridge', 'sndfile', ...(srtp ? ['srtp'] : []), ...(video ? ['fakevideo', ...(video === 'VP8' ? ['vp8'] : ['avcodec'])] : [])];
    return [
      `sip_listen ${host}:5060`, 'net_interface eth0', `net_prefer_ipv6 ${host.startsWith('[') ? 'yes' : 'no'}`,
      'call_local_timeout 60', 'call_max_calls 4', `audio_source ausine,${BARESIP_HZ}`, 'audio_player aubridge,rx', 'audio_alert aubridge,alert',
      'ausrc_srate 48000', 'ausrc_channels 2', 'audio_level no', 'ausrc_format s16', 'auplay_format s16', 'auenc_format s16', 'audec_format s16', 'audio_buffer 20-160',
      ...(video ? ['video_source fakevideo,nil', 'video_display fakevideo,nil', 'video_size 320x240', 'video_fps 15', 'video_bitrate 400000'] : []),
      'rtp_tos 184', 'rtp_ports 10000-10999', 'rtcp_mux no', 'jitter_buffer_delay 2-5', 'rtp_stats yes', `module_path ${MODULES}`,
      ...modules.map((m) => `module ${m}.so`), 'module_tmp uuid.so', 'module_tmp account.so', 'module_app menu.so', 'module_app ctrl_tcp.so',
      `ctrl_tcp_listen ${host}:4444`, `snd_path ${this.rec}`, '',
    ].join('\n');
  }

  #attach() {
    return until('ctrl_tcp of baresip', () => new Promise((done, fail) => {
      const s = net.connect(4444, this.ip, () => { this.socket = s; done(true); });
      s.on('error', fail);
      let buf = Buffer.alloc(0);
      s.on('data', (d) => {
        buf = Buffer.concat([buf, d]);
        for (;;) {
          const colon = buf.indexOf(0x3a);
          const len = colon > 0 ? Number(buf.subarray(0, colon).toString()) : NaN;
          if (!(buf.length >= colon + 2 + len)) return;
          this.#message(JSON.parse(buf.subarray(colon + 1, colon + 1 + len).toString()));
          buf = buf.subarray(colon + 2 + len);
        }
      });
    }), 4000);
  }

  #message(m) {
    if (m.event) this.events.push({ ...m, at: Date.now() });
    else { this.reply?.(m); this.reply = null; }
  }

  command(command, params = '') {
    const text = JSON.stringify({ command, params, token: 't' });
    return new Promise((done) => {
      this.reply = done;
      this.socket.write(`${Buffer.byteLength(text)}:${text},`);
    });
  }

  /** Waits for an event of this type which came after the last mark(). */
  event(type, ms = 8000) {
    return until(`baresip's ${type}`, () => this.events.slice(this.seen ?? 0).find((e) => e.type === type), ms);
  }

  mark() { this.seen = this.events.length; }

  #recording() {
    const files = readdirSync(this.rec).filter((f) => f.endsWith('-dec.wav'));
    const newest = files.map((f) => join(this.rec, f)).sort((x, y) => statSync(x).mtimeMs - statSync(y).mtimeMs).pop();
    return newest ? { file: newest, ...readWav(newest) } : { file: '', rate: 8000, samples: [] };
  }

  /** Waits until half a second recorded from now on is mostly `hz`. */
  hears(hz, ms = 8000) {
    const before = this.#recording();
    return until(`baresip hears ${hz} Hz`, () => {
      const now = this.#recording();
      const fresh = now.samples.slice(now.file === before.file ? before.samples.length : 0);
      const last = fresh.slice(-now.rate / 2);
      const share = toneShare(last, now.rate, hz);
      if (last.length >= now.rate / 2 && share > 0.5 && rms(last) > 100) return { share, rms: rms(last), hz: frequency(last, now.rate, hz) };
      throw new Error(`${fresh.length} new samples at ${now.rate} Hz, share ${share.toFixed(3)}, rms ${rms(last).toFixed(0)}`);
    }, ms, 100);
  }

  async stop() {
    this.socket?.destroy();
    await this.proc.stop('SIGTERM', 4000);
  }
}
