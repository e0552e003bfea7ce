// SPDX-License-Identifier: BSD-3-Clause
// Debian's rtpengine as the gateway of another network: it gives plain phones a secured side, with its own SRTP, SDES and DTLS.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { NgClient } from './ng.mjs';
import { Proc } from './proc.mjs';
import { NET } from './sandbox.mjs';
import { until } from './wait.mjs';

const IP = NET.stranger.v4;
const NG = 22300;

/** What an offer toward a side secured in this way asks for, of rtpengine as of ours. */
export const OFFERED = {
  plain: { 'transport-protocol': 'RTP/AVP', ICE: 'remove' },
  sdes: { 'transport-protocol': 'RTP/SAVP', DTLS: 'off', ICE: 'remove' },
  dtls: { 'transport-protocol': 'UDP/TLS/RTP/SAVP', SDES: ['off'], ICE: 'remove' },
};

export class FarGateway {
  static async start(ns, out) {
    const f = new FarGateway();
    f.proc = new Proc('far rtpengine', ['rtpengine', '--foreground', '--log-stderr', '--log-level=5', '--table=-1', `--interface=${IP}`,
      `--listen-ng=${IP}:${NG}`, '--port-min=40000', '--port-max=49999', '--delete-delay=0', '--timeout=120'], { ns, log: join(out, 'far.log') });
    f.ngPort = NG;
    f.ng = await NgClient.open(NG, IP);
    await until('the far rtpengine answers ping', () => f.ng.ping(), 8000);
    return f;
  }

  /** One call through it; every side of it is in the far network. */
  call() {
    const id = { 'call-id': `far-${randomBytes(6).toString('hex')}`, 'from-tag': 'a' };
    const say = async (command, sdp, keys) =>
      (await this.ng.cmd({ ...id, ...(command === 'answer' ? { 'to-tag': 'b' } : {}), command, sdp, replace: ['origin', 'session-connection'], ...keys })).sdp;
    return {
      offer: (sdp, toward) => say('offer', sdp, OFFERED[toward]),
      answer: (sdp) => say('answer', sdp, { ICE: 'remove' }),
      remove: () => this.ng.cmd({ ...id, command: 'delete', 'delete-delay': 0 }),
    };
  }

  async stop() {
    this.ng?.close();
    await this.proc?.stop();
  }
}
