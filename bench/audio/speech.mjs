// SPDX-License-Identifier: BSD-3-Clause
// Speech that anybody may have: Harvard sentences by Debian's synthesizers, a woman and a man.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const TEXT = `The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background. It's easy to tell the depth of a well.
These days a chicken leg is a rare dish. Rice is often served in round bowls. The juice of lemons makes fine punch. The box was thrown beside the parked truck.
The hogs were fed chopped corn and garbage. Four hours of steady work faced us. A large size in stockings is hard to sell. The boy was there when the sun rose.
A rod is used to catch pink salmon. The source of the huge river is the clear spring. Kick the ball straight and follow through. Help the woman get back to her feet.`;

export const VOICES = { woman: ['flite', '-voice', 'slt', '-t', TEXT, '-o'], man: ['espeak-ng', '-v', 'en-us', '-s', '140', TEXT, '-w'] };
export const SECONDS = 30;

export function run(argv, input) {
  const r = spawnSync(argv[0], argv.slice(1), { input, maxBuffer: 1 << 28 });
  if (r.status !== 0) throw new Error(`${argv.slice(0, 3).join(' ')}: ${r.error ?? r.stderr.toString().slice(-500)}`);
  return r;
}

/** PCM of another rate. */
export const resample = (pcm, from, to) => (from === to ? pcm
  : run(['ffmpeg', '-loglevel', 'error', '-f', 's16le', '-ar', `${from}`, '-ac', '1', '-i', '-', '-f', 's16le', '-ar', `${to}`, '-'], pcm).stdout);

/** 30 s of a voice as PCM at `hz`, with a little noise of a room so that silence is not digital. */
export function speech(voice, hz, dir) {
  const wav = join(dir, `${voice}.wav`);
  run([...VOICES[voice], wav]);
  return run(['ffmpeg', '-loglevel', 'error', '-i', wav, '-f', 'lavfi', '-i', `anoisesrc=r=48000:c=pink:a=0.0005:s=1`, '-filter_complex',
    `[0]aresample=48000,loudnorm=I=-23,aresample=48000,apad[a];[a][1]amix=2:normalize=0,aresample=${hz}`, '-t', `${SECONDS}`, '-ac', '1', '-f', 's16le', '-']).stdout;
}

export const samples = (buf) => new Int16Array(buf.buffer.slice(buf.byteOffset, buf.byteOffset + (buf.length & ~1)));
