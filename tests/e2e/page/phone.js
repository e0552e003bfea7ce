// SPDX-License-Identifier: BSD-3-Clause
// A JsSIP phone over the rig's sources and detectors; one call at a time.
'use strict';

/** Leaves one of the H.264 formats (constrained baseline, packetization mode 0): offered several, baresip 1.0.0 answers with
 *  one and sends another. */
function oneH264(sdp) {
  const keep = /a=fmtp:(\d+) [^\r]*packetization-mode=0;profile-level-id=42e01f/.exec(sdp)[1];
  const gone = new Set([...sdp.matchAll(/a=rtpmap:(\d+) H264/g)].map((m) => m[1]).filter((pt) => pt !== keep));
  for (const [, rtx, apt] of sdp.matchAll(/a=fmtp:(\d+) apt=(\d+)/g)) if (gone.has(apt)) gone.add(rtx);
  return sdp.split('\r\n').filter((l) => !gone.has(/^a=(?:rtpmap|fmtp|rtcp-fb):(\d+)/.exec(l)?.[1]))
    .map((l) => (l.startsWith('m=video') ? l.split(' ').filter((w, i) => i < 3 || !gone.has(w)).join(' ') : l)).join('\r\n');
}

/** Leaves Opus and digits. */
function onlyOpus(sdp) {
  const keep = new Set([...sdp.matchAll(/a=rtpmap:(\d+) (?:opus|telephone-event)\//g)].map((m) => m[1]));
  return sdp.split('\r\n').filter((l) => keep.has(/^a=(?:rtpmap|fmtp|rtcp-fb):(\d+)/.exec(l)?.[1] ?? [...keep][0]))
    .map((l) => (l.startsWith('m=audio') ? l.split(' ').filter((w, i) => i < 3 || keep.has(w)).join(' ') : l)).join('\r\n');
}

const phone = window.phone = {
  events: [],
  sdps: [],

  /** { ws, user, password, tone, video, oneH264, onlyOpus } */
  async start(o) {
    this.o = o;
    rig.pc = null;
    rig.audio = new AudioContext();
    rig.log = [];
    rig.since = performance.now();
    rig.local = new MediaStream([rig.toneTrack(o.tone)]);
    rig.permit = await navigator.mediaDevices.getUserMedia({ audio: true });
    if (o.video) rig.local.addTrack(rig.canvasTrack());
    const socket = new JsSIP.WebSocketInterface(o.ws);
    this.ua = new JsSIP.UA({ sockets: [socket], uri: `sip:${o.user}@e2e.test`, password: o.password, register: true, session_timers: false, register_expires: 120 });
    for (const e of ['connected', 'disconnected', 'registered', 'unregistered', 'registrationFailed'])
      this.ua.on(e, (d) => this.events.push([e, d?.cause]));
    // a page that goes says goodbye: without this Chromium sends no close_notify
    addEventListener('pagehide', () => rig.pc?.close());
    this.ua.on('newRTCSession', ({ session, originator }) => this.take(session, originator));
    this.ua.start();
  },

  take(session, originator) {
    this.session = session;
    this.state = originator === 'remote' ? 'ringing' : 'calling';
    for (const e of ['progress', 'accepted', 'confirmed', 'ended', 'failed', 'hold', 'unhold', 'reinvite'])
      session.on(e, (d) => {
        this.events.push([e, d?.originator, d?.cause]);
        if (['progress', 'accepted', 'confirmed', 'ended', 'failed'].includes(e)) this.state = e;
      });
    session.on('sdp', (d) => {
      if (d.originator === 'local' && this.o.oneH264) d.sdp = oneH264(d.sdp);
      if (d.originator === 'local' && this.o.onlyOpus) d.sdp = onlyOpus(d.sdp);
      this.sdps.push([d.originator, d.type, d.sdp]);
    });
    session.on('peerconnection', ({ peerconnection }) => this.watch(peerconnection));
    if (session.connection) this.watch(session.connection);
    if (originator === 'remote' && this.o.answer !== false)
      session.answer({ mediaStream: rig.local, pcConfig: this.o.config ?? {} });
  },

  watch(pc) {
    if (rig.pc === pc) return;
    rig.pc = pc;
    rig.connectedAt = undefined;
    rig.firstFrameMs = null;
    rig.since = performance.now();
    pc.addEventListener('connectionstatechange', () => {
      rig.log.push([Math.round(performance.now() - rig.since), pc.connectionState]);
      if (pc.connectionState === 'connected' && !rig.connectedAt) {
        rig.connectedAt = performance.now();
        this.watchFrames(pc);
      }
    });
    pc.addEventListener('track', (e) => rig.onTrack(e));
  },

  /** Time from connection to the first decoded frame. */
  async watchFrames(pc) {
    if (!this.o.video) return;
    while (pc.connectionState === 'connected' && rig.firstFrameMs === null) {
      (await pc.getStats()).forEach((r) => {
        if (r.type === 'inbound-rtp' && r.kind === 'video' && r.framesDecoded > 0) rig.firstFrameMs ??= Math.round(performance.now() - rig.connectedAt);
      });
      await new Promise((done) => setTimeout(done, 20));
    }
  },

  call(target) {
    this.ua.call(target, { mediaStream: rig.local, pcConfig: this.o.config ?? {} });
  },

  hold(on) {
    return new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error('re-INVITE was not answered')), 5000);
      const ok = this.session[on ? 'hold' : 'unhold']({}, () => { clearTimeout(timer); done(true); });
      if (!ok) fail(new Error('JsSIP refuses to change hold now'));
    });
  },

  restartIce() {
    return new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error('re-INVITE was not answered')), 5000);
      const ok = this.session.renegotiate({ rtcOfferConstraints: { iceRestart: true } }, () => { clearTimeout(timer); done(true); });
      if (!ok) fail(new Error('JsSIP refuses to renegotiate now'));
    });
  },

  bye() { this.session.terminate(); },

  look() {
    return { state: this.state, events: this.events, registered: this.ua?.isRegistered(), firstFrameMs: rig.firstFrameMs, onHold: this.session?.isOnHold() };
  },
};
