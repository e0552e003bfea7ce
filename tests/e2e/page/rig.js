// SPDX-License-Identifier: BSD-3-Clause
// A scriptable WebRTC endpoint: one RTCPeerConnection per page, tone and picture sources, detectors for what comes back.
'use strict';

function goertzelShare(x, rate, freq) {
  const n = x.length;
  const k = (2 * Math.PI * freq) / rate;
  let re = 0, im = 0, power = 0;
  for (let i = 0; i < n; i++) {
    const v = x[i] * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / n));
    re += v * Math.cos(k * i);
    im += v * Math.sin(k * i);
    power += v * v;
  }
  return power < 1e-9 ? 0 : Math.min(1, (3 * (re * re + im * im)) / (power * n));
}

const rig = window.rig = {
  /** { tone: Hz | 'mic' | 0, video: 'canvas' | 'camera' | 0, dataChannel, speech: PCM at 48 kHz in base64, which say() plays, payloads: keep what is received and
   *  sent, octets: and up to so many of each, ...RTCConfiguration keys in codecs, config } */
  async create(o) {
    this.audio = new AudioContext(o.speech ? { sampleRate: 48000 } : {});
    this.payloads = o.payloads ? [] : null;
    this.sent = [];
    this.octets = o.octets ?? 4;
    const pc = this.pc = new RTCPeerConnection({ ...o.config, ...(o.payloads ? { encodedInsertableStreams: true } : {}) });
    this.log = [];
    this.codecs = o.codecs;
    this.since = performance.now();
    for (const ev of ['iceconnectionstatechange', 'connectionstatechange', 'signalingstatechange', 'icecandidateerror'])
      pc.addEventListener(ev, () => this.log.push([Math.round(performance.now() - this.since), ev.replace('statechange', ''), pc.iceConnectionState, pc.connectionState]));
    pc.addEventListener('connectionstatechange', () => {
      if (pc.connectionState === 'connected') this.connectedAt ??= performance.now();
    });
    pc.addEventListener('track', (e) => this.onTrack(e));
    this.local = new MediaStream();
    if (o.tone === 'mic' || o.video === 'camera') {
      const s = await navigator.mediaDevices.getUserMedia({ audio: o.tone === 'mic', video: o.video === 'camera' ? { width: 320, height: 240, frameRate: 15 } : false });
      s.getTracks().forEach((t) => this.local.addTrack(t));
    } else if (o.media !== false && o.tone) {
      // only to be allowed to show host candidates
      this.permit = await navigator.mediaDevices.getUserMedia({ audio: true });
    }
    if (typeof o.tone === 'number' && o.tone > 0) this.local.addTrack(this.toneTrack(o.tone));
    if (o.speech) this.local.addTrack(this.speechTrack(o.speech));
    if (o.video === 'canvas') this.local.addTrack(this.canvasTrack());
    if (!o.answerer) this.local.getTracks().forEach((t) => this.passOn(pc.addTrack(t, this.local)));
    if (o.dataChannel) this.channel = pc.createDataChannel('x');
  },

  toneTrack(hz) {
    const osc = this.audio.createOscillator();
    const gain = this.audio.createGain();
    const out = this.audio.createMediaStreamDestination();
    osc.frequency.value = hz;
    gain.gain.value = 0.3;
    osc.connect(gain).connect(out);
    osc.start();
    return out.stream.getAudioTracks()[0];
  },

  canvasTrack() {
    const c = document.createElement('canvas');
    c.width = 320;
    c.height = 240;
    const g = c.getContext('2d');
    let n = 0;
    setInterval(() => {
      g.fillStyle = `hsl(${(n * 7) % 360} 80% 50%)`;
      g.fillRect(0, 0, 320, 240);
      g.fillStyle = '#fff';
      g.fillText(String(n++), 20 + (n % 200), 120);
    }, 66);
    return c.captureStream(15).getVideoTracks()[0];
  },

  /** Passes encoded frames on and adds them to `list`: { pt, ts, seq }, and `octets` where there are no more than wanted. */
  keep({ readable, writable }, list) {
    const look = (frame, out) => {
      const { payloadType: pt, rtpTimestamp: ts, sequenceNumber: seq } = frame.getMetadata();
      list.push({ pt, ts, seq, octets: frame.data.byteLength <= this.octets ? [...new Uint8Array(frame.data)] : undefined });
      out.enqueue(frame);
    };
    readable.pipeThrough(new TransformStream({ transform: look })).pipeTo(writable);
  },

  /** Notes every payload between SRTP and the decoder. */
  note(receiver) {
    if (this.noted) return; // a re-offer that resumes brings the same track again
    this.noted = true;
    this.keep(receiver.createEncodedStreams(), this.payloads);
  },

  /** Where payloads are kept, senders wait for somebody who passes on what they encode. */
  passOn(sender) {
    if (this.payloads) this.keep(sender.createEncodedStreams(), this.sent);
  },

  speechTrack(base64) {
    const pcm = new Int16Array(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer);
    const buffer = this.audio.createBuffer(1, pcm.length, 48000);
    buffer.copyToChannel(Float32Array.from(pcm, (v) => v / 32768), 0);
    this.speech = new AudioBufferSourceNode(this.audio, { buffer });
    const out = new MediaStreamAudioDestinationNode(this.audio, { channelCount: 1 });
    this.speech.connect(out);
    return out.stream.getAudioTracks()[0];
  },

  say() { this.speech.start(); },

  onTrack(e) {
    if (e.track.kind === 'audio') {
      if (this.payloads) this.note(e.receiver);
      const s = new MediaStream([e.track]);
      document.getElementById('remote-audio').srcObject = s; // Chromium feeds Web Audio only if an element plays the stream
      this.source?.disconnect();
      this.source = this.audio.createMediaStreamSource(s);
      this.analyser = this.audio.createAnalyser();
      this.analyser.fftSize = 8192;
      this.source.connect(this.analyser);
    } else {
      document.getElementById('remote-video').srcObject = new MediaStream([e.track]);
    }
  },

  async gathered(ms = 3000) {
    const pc = this.pc;
    if (pc.iceGatheringState === 'complete') return;
    await new Promise((done) => {
      const timer = setTimeout(done, ms);
      pc.addEventListener('icegatheringstatechange', () => {
        if (pc.iceGatheringState === 'complete') { clearTimeout(timer); done(); }
      });
    });
  },

  /** Of audio only these, in this order, and telephone-event, if { codecs: ['opus'] } was asked for. */
  restrict() {
    const rank = (c) => [...(this.codecs ?? []), 'telephone-event'].indexOf(c.mimeType.split('/')[1]);
    const wanted = RTCRtpReceiver.getCapabilities('audio').codecs.filter((c) => rank(c) >= 0).sort((a, b) => rank(a) - rank(b));
    for (const t of this.codecs ? this.pc.getTransceivers() : [])
      if (t.receiver.track.kind === 'audio') t.setCodecPreferences(wanted);
  },

  /** Offers; waits for the candidates unless { gather: false } (then the SDP says c=0.0.0.0). */
  async offer({ iceRestart = false, gather = true } = {}) {
    this.restrict();
    const o = await this.pc.createOffer({ iceRestart });
    await this.pc.setLocalDescription(o);
    if (!gather) return o.sdp;
    await this.gathered();
    return this.pc.localDescription.sdp;
  },

  async answer(sdp) {
    await this.pc.setRemoteDescription({ type: 'answer', sdp });
  },

  /** Our offer was refused. */
  rollback() { return this.pc.setLocalDescription({ type: 'rollback' }); },

  /** Takes a remote offer and returns our answer. */
  async accept(sdp, { gather = true } = {}) {
    await this.pc.setRemoteDescription({ type: 'offer', sdp });
    for (const t of this.pc.getTransceivers()) {
      const mine = this.local.getTracks().find((x) => x.kind === t.receiver.track.kind);
      if (mine && !t.sender.track && t.direction !== 'stopped') {
        await t.sender.replaceTrack(mine);
        this.passOn(t.sender);
        if (t.direction === 'recvonly') t.direction = 'sendrecv';
        if (t.direction === 'inactive') t.direction = 'sendonly';
      }
    }
    this.restrict();
    await this.pc.setLocalDescription(await this.pc.createAnswer());
    if (gather) await this.gathered();
    return this.pc.localDescription.sdp;
  },

  /** Takes our sound away, or gives it back, without a word to the other side. */
  async silent(on) {
    const s = this.pc.getTransceivers().find((t) => t.receiver.track.kind === 'audio').sender;
    await s.replaceTrack(on ? null : this.local.getAudioTracks()[0]);
  },

  /** A picture from now on; the next offer has a line for it. */
  addVideo() {
    const track = this.canvasTrack();
    this.local.addTrack(track);
    this.passOn(this.pc.addTrack(track, this.local));
  },

  /** No picture any more, either way; the next offer's line for it has port 0. */
  dropVideo() {
    this.pc.getTransceivers().find((t) => t.receiver.track.kind === 'video').stop();
  },

  direction(kind, dir) {
    for (const t of this.pc.getTransceivers()) if (t.receiver.track.kind === kind) t.direction = dir;
  },

  tones(freqs) {
    if (!this.analyser) return { rms: 0, tones: {} };
    const x = new Float32Array(this.analyser.fftSize);
    this.analyser.getFloatTimeDomainData(x);
    return {
      rms: Math.sqrt(x.reduce((a, v) => a + v * v, 0) / x.length),
      tones: Object.fromEntries(freqs.map((f) => [f, goertzelShare(x, this.audio.sampleRate, f)])),
    };
  },

  /** The last of what is heard, of fftSize samples, and their rate. */
  sound() {
    const x = new Float32Array(this.analyser.fftSize);
    this.analyser.getFloatTimeDomainData(x);
    return { hz: this.audio.sampleRate, pcm: [...x] };
  },

  async stats() {
    const out = {
      state: this.pc.connectionState, ice: this.pc.iceConnectionState, signaling: this.pc.signalingState, log: this.log, audio: {}, video: {}, transports: [],
      pairs: [], connectedMs: this.connectedAt ? Math.round(this.connectedAt - this.since) : null,
    };
    const rep = await this.pc.getStats();
    const byId = {};
    rep.forEach((r) => { byId[r.id] = r; });
    for (const r of Object.values(byId)) {
      if (r.type === 'inbound-rtp') {
        Object.assign(out[r.kind], { rxPackets: r.packetsReceived, lost: r.packetsLost, jitter: r.jitter, concealed: r.concealedSamples, silentConcealed: r.silentConcealedSamples, samples: r.totalSamplesReceived, playedS: r.totalSamplesDuration, energy: r.totalAudioEnergy, level: r.audioLevel,
          decoded: r.framesDecoded, rxSsrc: r.ssrc, codec: byId[r.codecId]?.mimeType, discarded: r.packetsDiscarded, pliSent: r.pliCount, nackSent: r.nackCount,
          lastPacketAt: r.lastPacketReceivedTimestamp, keyFrames: r.keyFramesDecoded });
      }
      if (r.type === 'outbound-rtp')
        Object.assign(out[r.kind], { txPackets: r.packetsSent, txSsrc: r.ssrc, txCodec: byId[r.codecId]?.mimeType, pliReceived: r.pliCount, firReceived: r.firCount, keyFramesSent: r.keyFramesEncoded, active: r.active });
      if (r.type === 'remote-inbound-rtp') Object.assign(out[r.kind], { rtt: r.roundTripTime, remoteLost: r.packetsLost, reports: (out[r.kind].reports ?? 0) + 1 });
      if (r.type === 'remote-outbound-rtp') Object.assign(out[r.kind], { remoteSr: r.reportsSent, dlrr: r.roundTripTimeMeasurements, dlrrRtt: r.roundTripTime });
      if (r.type === 'transport') {
        out.transports.push({ dtls: r.dtlsState, role: r.dtlsRole, tls: r.tlsVersion, cipher: r.dtlsCipher, srtp: r.srtpCipher, ice: r.iceState, iceRole: r.iceRole, ufrag: r.iceLocalUsernameFragment,
          pairChanges: r.selectedCandidatePairChanges, localCert: byId[r.localCertificateId]?.fingerprint, remoteCert: byId[r.remoteCertificateId]?.fingerprint, rx: r.packetsReceived, tx: r.packetsSent });
        const p = byId[r.selectedCandidatePairId];
        if (p) {
          const l = byId[p.localCandidateId];
          const m = byId[p.remoteCandidateId];
          out.pairs.push({ local: `${l?.candidateType} ${l?.address}:${l?.port}`, localType: l?.candidateType, remote: `${m?.candidateType} ${m?.address}:${m?.port}`, remoteAddress: m?.address, remotePort: m?.port,
            consent: p.consentRequestsSent, requests: p.requestsSent, responses: p.responsesReceived, rtt: p.currentRoundTripTime });
        }
      }
    }
    return out;
  },

  hangup() {
    this.pc?.close();
    this.local?.getTracks().forEach((t) => t.stop());
    this.permit?.getTracks().forEach((t) => t.stop());
  },
};
