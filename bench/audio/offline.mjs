// SPDX-License-Identifier: BSD-3-Clause
// The codecs of a call without a gateway: by ffmpeg and the libraries that it has. Debian's ffmpeg cannot encode AMR and AMR-WB; with the libraries of
// libavcodec-extra59 (unpacked; `libs`) it can, else the program `audio` calls the same libraries.
import { toFile, toPackets } from '../../tests/e2e/lib/streams.mjs';
import { run } from './speech.mjs';
import { format, parse } from './trace.mjs';

export const CORE = {
  'PCMA': { hz: 8000, clock: 8000, ffmpeg: ['pcm_alaw', 'alaw'] },
  'PCMU': { hz: 8000, clock: 8000, ffmpeg: ['pcm_mulaw', 'mulaw'] },
  'G722': { hz: 16000, clock: 8000, ffmpeg: ['g722', 'g722'] },
  'AMR BE': { name: 'AMR', hz: 8000, clock: 8000, kbps: 12.2 },
  'AMR OA': { name: 'AMR', hz: 8000, clock: 8000, kbps: 12.2, octetAligned: true },
  'AMR-WB BE': { name: 'AMR-WB', hz: 16000, clock: 16000, kbps: 12.65 },
  'AMR-WB OA': { name: 'AMR-WB', hz: 16000, clock: 16000, kbps: 12.65, octetAligned: true },
};
for (const [label, codec] of Object.entries(CORE)) codec.name ??= label;

export const BROWSER = { name: 'opus', kbps: 32, complexity: 9, loss: 5 }; // as Chromium codes

/** Opus as the gateway codes it beside a codec of that rate (codecs/opus.c); loss: in percent, that it has heard of. */
export const back = (hz, loss = 5) => ({ name: 'opus', kbps: { 8000: 20, 16000: 28 }[hz], complexity: 5, loss });

/** Hz that are compared. */
export const top = (hz) => (hz === 8000 ? 3400 : 7000);

const LIBRARIES = { 'AMR': ['libopencore_amrnb', 'libopencore_amrnb'], 'AMR-WB': ['libvo_amrwbenc', 'libopencore_amrwb'] };

export class Offline {
  /** build: the folder of `audio`. */
  constructor({ build, libs = '' }) {
    this.program = `${build}/audio`;
    this.env = libs ? ['env', `LD_LIBRARY_PATH=${libs}`] : [];
    this.hasAmr = /libopencore_amrwb/.test(run([...this.env, 'ffmpeg', '-hide_banner', '-decoders']).stdout.toString());
  }

  ffmpeg(args, input) { return run([...this.env, 'ffmpeg', '-loglevel', 'error', ...args.map(String), '-'], input).stdout; }

  /** CODEC of `audio`. */
  static gatewayName({ name, octetAligned }) { return octetAligned ? `${name};octet-align=1` : name; }

  #byHand({ name }) { return name in LIBRARIES && !this.hasAmr; }

  /** A file of `form`, of PCM at `hz`. */
  encode(form, pcm, hz) {
    if (this.#byHand(form)) return toFile(parse(run([this.program, 'encode', Offline.gatewayName(form), `${hz}`], pcm).stdout.toString()), form);
    const by = form.name === 'opus' ? ['-c:a', 'libopus', '-b:a', `${form.kbps}k`, '-application', 'voip', '-compression_level', form.complexity, '-fec', 1, '-packet_loss', form.loss, '-f', 'opus']
      : form.name in LIBRARIES ? ['-c:a', LIBRARIES[form.name][0], '-b:a', `${form.kbps}k`, '-dtx', 1, '-f', 'amr']
        : ['-c:a', form.ffmpeg[0], '-f', form.ffmpeg[1]];
    return this.ffmpeg(['-f', 's16le', '-ar', hz, '-ac', 1, '-i', '-', ...by], pcm);
  }

  /** PCM at `hz` of a file. */
  decode(form, file, hz) {
    const whole = { ...form, octetAligned: true, all: true };
    if (this.#byHand(form)) return run([this.program, 'decode', Offline.gatewayName(whole), `${hz}`], format(toPackets(file, whole))).stdout;
    const by = form.name === 'opus' ? ['-c:a', 'libopus'] : form.name in LIBRARIES ? ['-c:a', LIBRARIES[form.name][1], '-f', 'amr']
      : ['-f', form.ffmpeg[1], ...(form.name === 'G722' ? [] : ['-ar', hz])];
    return this.ffmpeg([...by, '-i', '-', '-ac', 1, '-ar', hz, '-f', 's16le'], file);
  }

  /** PCM of 48 kHz at `hz`. */
  resample(pcm, hz) { return this.ffmpeg(['-f', 's16le', '-ar', 48000, '-ac', 1, '-i', '-', '-f', 's16le', '-ar', hz], pcm); }
}
