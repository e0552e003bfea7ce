// SPDX-License-Identifier: BSD-3-Clause
// One WebSocket is one call: {"type":"call"|"hangup"} goes out; "answer", "stats" and "error" come in.
'use strict';

const $ = (id) => document.getElementById(id);
const STEP_MS = 500;
const WINDOW = 60; // points: half a minute
const TEXTS = { idle: 'Ready', calling: 'Calling', connected: 'Connected', ended: 'Call ended', failed: 'Failed' };
const STAGES = { ringing: 'ringing', tones: 'playing tones', echo: 'echoing you' };

const demo = { pc: null };
window.agwDemo = demo;
let socket, microphone, ticker, gateway, analysers;

function setState(state, text) {
  $('state').dataset.state = state;
  $('state').textContent = text || TEXTS[state];
  const busy = state === 'calling' || state === 'connected';
  $('call').hidden = busy;
  $('hangup').hidden = !busy;
  document.querySelectorAll('.link').forEach((el) => el.classList.toggle('live', state === 'connected'));
  if (!busy) $('phone-stage').textContent = 'on hook';
}

// --- plots ---------------------------------------------------------------------------------------

class Plot {
  constructor(id, { floor = 1, digits = 0 } = {}) {
    this.canvas = $(id);
    this.floor = floor;
    this.digits = digits;
    this.clear();
  }
  clear() { this.lines = [[], []]; this.draw(); }
  add(a, b) {
    [a, b].forEach((v, i) => {
      this.lines[i].push(Number.isFinite(v) ? v : null);
      if (this.lines[i].length > WINDOW) this.lines[i].shift();
    });
    this.draw();
  }
  draw() {
    const { canvas } = this, scale = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    canvas.width = width * scale;
    canvas.height = height * scale;
    const c = canvas.getContext('2d'), css = getComputedStyle(document.documentElement);
    c.scale(scale, scale);
    const top = Math.max(this.floor, ...this.lines.flat().filter((v) => v !== null)) * 1.15;
    const left = 38, y = (v) => height - 6 - (v / top) * (height - 18);
    c.font = '11px system-ui, sans-serif';
    c.textBaseline = 'middle';
    c.lineWidth = 1;
    for (const part of [0, 0.5, 1]) {
      const v = (top / 1.15) * part;
      c.strokeStyle = css.getPropertyValue('--line');
      c.beginPath(); c.moveTo(left, y(v)); c.lineTo(width, y(v)); c.stroke();
      c.fillStyle = css.getPropertyValue('--soft');
      c.fillText(v.toFixed(v < 10 && v > 0 ? Math.max(this.digits, 1) : this.digits), 0, y(v));
    }
    ['--a', '--b'].forEach((name, i) => this.#line(c, this.lines[i], css.getPropertyValue(name), left, width, y));
  }
  #line(c, line, colour, left, width, y) {
    c.strokeStyle = colour;
    c.lineWidth = 2;
    c.lineJoin = 'round';
    c.beginPath();
    let pen = false;
    line.forEach((v, i) => {
      if (v === null) { pen = false; return; }
      const x = width - ((line.length - 1 - i) * (width - left)) / (WINDOW - 1);
      if (pen) c.lineTo(x, y(v)); else c.moveTo(x, y(v));
      pen = true;
    });
    c.stroke();
  }
}

const plots = {
  packets: new Plot('plot-packets', { floor: 60 }),
  level: new Plot('plot-level', { floor: 0.2, digits: 2 }),
  jitter: new Plot('plot-jitter', { floor: 5, digits: 1 }),
  rtt: new Plot('plot-rtt', { floor: 5, digits: 1 }),
  loss: new Plot('plot-loss', { floor: 1, digits: 1 }),
};
window.addEventListener('resize', () => Object.values(plots).forEach((p) => p.draw()));

// --- measurements ----------------------------------------------------------------------------------

function byType(report) {
  const found = {};
  report.forEach((s) => {
    if (s.type === 'transport') found.transport = s;
    if (s.type === 'inbound-rtp' && s.kind === 'audio') found.inbound = s;
    if (s.type === 'outbound-rtp' && s.kind === 'audio') found.outbound = s;
    if (s.type === 'remote-inbound-rtp' && s.kind === 'audio') found.remoteInbound = s;
  });
  if (found.transport) found.pair = report.get(found.transport.selectedCandidatePairId);
  if (found.pair) {
    found.local = report.get(found.pair.localCandidateId);
    found.remote = report.get(found.pair.remoteCandidateId);
  }
  if (found.inbound) found.codec = report.get(found.inbound.codecId);
  return found;
}

const endpoint = (c) => (c && c.address ? `${c.address.includes(':') ? `[${c.address}]` : c.address}:${c.port}` : c ? `mDNS:${c.port}` : '?');
const put = (id, text) => { if (text) $(id).textContent = text; };
const dtlsName = (v) => ({ FEFD: 'DTLS 1.2', FEFC: 'DTLS 1.3', FEFF: 'DTLS 1.0' })[v] || v;

const shortCipher = (name = '') => name.replace(/^TLS_/, '').replace('_WITH_', ' ').replaceAll('_', '-');

function showFacts(s) {
  if (s.pair) put('fact-ice', `${endpoint(s.local)} (${s.local?.candidateType}) → ${endpoint(s.remote)}`);
  if (s.local) put('browser-addr', endpoint(s.local));
  if (s.transport?.tlsVersion) put('fact-dtls', `${dtlsName(s.transport.tlsVersion)} · ${shortCipher(s.transport.dtlsCipher)}`);
  put('fact-srtp', s.transport?.srtpCipher?.replace(/^SRTP_/, '').replaceAll('_', ' '));
  if (s.codec) put('fact-codec', `${s.codec.mimeType.replace('audio/', '')} ${s.codec.clockRate / 1000} kHz, both legs`);
  if (s.outbound) put('fact-sent', s.outbound.packetsSent.toLocaleString());
  if (s.inbound) put('fact-received', s.inbound.packetsReceived.toLocaleString());
  const rtt = s.remoteInbound?.roundTripTime ?? s.pair?.currentRoundTripTime;
  if (rtt !== undefined) put('fact-rtt', `${(rtt * 1000).toFixed(1)} ms`);
  if (s.inbound) put('fact-lost', `${s.inbound.packetsLost} in, ${s.remoteInbound?.packetsLost ?? 0} out`);
}

function level(analyser) {
  if (!analyser) return null;
  const samples = new Float32Array(analyser.fftSize);
  analyser.getFloatTimeDomainData(samples);
  return Math.sqrt(samples.reduce((sum, v) => sum + v * v, 0) / samples.length);
}

// The gateway's own view of the access leg: jitter of what the browser sends, in microseconds.
function accessJitter() {
  const tags = Object.values(gateway?.query?.tags || {});
  for (const tag of tags) {
    for (const media of tag.medias || []) {
      if (String(media.protocol || '').startsWith('UDP/TLS') && media['jitter us'] !== undefined) return media['jitter us'] / 1000;
    }
  }
  return null;
}

const percent = (lost, got) => (100 * Math.max(0, lost)) / Math.max(1, lost + got);

// The phone counts by its own clock: rates are taken between two of its messages.
let phoneRate = {};
function onStats(message) {
  const at = performance.now(), before = gateway;
  gateway = message;
  gateway.at = at;
  $('phone-stage').textContent = STAGES[message.phone.stage] || message.phone.stage;
  if (!before) return;
  const got = message.phone['rtp-in'] - before.phone['rtp-in'];
  phoneRate = { packets: (1000 * got) / (at - before.at), loss: percent(message.phone.lost - before.phone.lost, got) };
}

let last = null;
function plotAll(s) {
  const now = performance.now();
  const current = {
    at: now,
    received: s.inbound?.packetsReceived ?? 0,
    lostIn: s.inbound?.packetsLost ?? 0,
  };
  if (last) {
    const seconds = (now - last.at) / 1000;
    const toUs = current.received - last.received;
    plots.packets.add(phoneRate.packets, toUs / seconds);
    plots.loss.add(phoneRate.loss, percent(current.lostIn - last.lostIn, toUs));
  }
  last = current;
  plots.level.add(level(analysers?.mine), level(analysers?.theirs));
  plots.jitter.add(accessJitter(), s.inbound ? s.inbound.jitter * 1000 : null);
  plots.rtt.add(s.pair?.currentRoundTripTime !== undefined ? s.pair.currentRoundTripTime * 1000 : null,
    s.remoteInbound?.roundTripTime !== undefined ? s.remoteInbound.roundTripTime * 1000 : null);
}

async function measure() {
  if (!demo.pc || demo.pc.connectionState === 'closed') return;
  const s = byType(await demo.pc.getStats());
  showFacts(s);
  if ($('state').dataset.state === 'connected') plotAll(s);
}

// --- the call ----------------------------------------------------------------------------------------

function showSdp(id, sdp) {
  const el = $(id);
  el.textContent = '';
  for (const line of sdp.trim().split(/\r?\n/)) {
    const strong = line.startsWith('m=');
    const part = document.createElement(strong ? 'b' : 'span');
    part.textContent = `${line}\n`;
    el.append(part);
  }
}

function listen(stream) {
  analysers ??= { context: new AudioContext() };
  const node = analysers.context.createAnalyser();
  node.fftSize = 2048;
  analysers.context.createMediaStreamSource(stream).connect(node);
  return node;
}

function onMessage(message) {
  if (message.type === 'answer') {
    showSdp('sdp-remote', message.sdp);
    showSdp('sdp-core-offer', message['core-offer']);
    showSdp('sdp-core-answer', message['core-answer']);
    demo.pc.setRemoteDescription({ type: 'answer', sdp: message.sdp }).catch((e) => end('failed', e.message));
  } else if (message.type === 'stats') {
    onStats(message);
  } else if (message.type === 'error') {
    end('failed', message.reason);
  }
}

function connect() {
  return new Promise((resolve, reject) => {
    const url = new URL('call', location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const ws = new WebSocket(url);
    ws.onopen = () => resolve(ws);
    ws.onerror = () => reject(new Error('the gateway does not answer'));
    ws.onmessage = (event) => onMessage(JSON.parse(event.data));
    ws.onclose = () => { if (socket === ws) end('ended'); };
  });
}

function gathered(pc) {
  if (pc.iceGatheringState === 'complete') return Promise.resolve();
  return new Promise((resolve) => {
    pc.addEventListener('icegatheringstatechange', () => { if (pc.iceGatheringState === 'complete') resolve(); });
    setTimeout(resolve, 1000); // a lite gateway does not need our candidates: it learns them from our checks
  });
}

function newConnection() {
  const pc = new RTCPeerConnection();
  pc.ontrack = (event) => {
    const stream = event.streams[0] || new MediaStream([event.track]);
    $('remote-audio').srcObject = stream;
    analysers.theirs = listen(stream);
  };
  pc.onconnectionstatechange = () => {
    if (demo.pc !== pc) return;
    if (pc.connectionState === 'connected') setState('connected');
    if (pc.connectionState === 'failed') end('failed', 'The connection failed');
  };
  return pc;
}

async function call() {
  setState('calling');
  last = null;
  gateway = null;
  phoneRate = {};
  Object.values(plots).forEach((p) => p.clear());
  try {
    microphone = await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: false, autoGainControl: false, noiseSuppression: false },
    });
    analysers = null;
    const mine = listen(microphone);
    analysers.mine = mine;
    socket = await connect();
    const pc = demo.pc = newConnection();
    microphone.getTracks().forEach((track) => pc.addTrack(track, microphone));
    await pc.setLocalDescription(await pc.createOffer());
    await gathered(pc);
    showSdp('sdp-local', pc.localDescription.sdp);
    socket.send(JSON.stringify({ type: 'call', sdp: pc.localDescription.sdp }));
    ticker = setInterval(measure, STEP_MS);
  } catch (e) {
    end('failed', e.name === 'NotAllowedError' ? 'No microphone: the browser did not allow it' : e.message);
  }
}

function end(state, text) {
  clearInterval(ticker);
  const ws = socket;
  socket = null;
  if (ws && ws.readyState === WebSocket.OPEN) {
    ws.send(JSON.stringify({ type: 'hangup' }));
    ws.close();
  }
  microphone?.getTracks().forEach((track) => track.stop());
  analysers?.context.close();
  analysers = null;
  demo.pc?.close();
  setState(state, text);
}

$('call').addEventListener('click', call);
$('hangup').addEventListener('click', () => end('ended'));
setState('idle');
