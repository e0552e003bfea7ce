// SPDX-License-Identifier: BSD-3-Clause
// The page of the demo: registers with JsSIP, calls and takes calls, shows what the connection is. `phone` is there for the console.
'use strict';

const $ = (id) => document.getElementById(id);
const phone = window.phone = { ua: null, session: null, pc: null };

function say(text) {
  $('log').textContent += `${new Date().toTimeString().slice(0, 8)} ${text}\n`;
  $('log').scrollTop = 1e6;
}

function state(name, text) {
  $('state').dataset.state = name;
  $('state').textContent = text;
  $('hangup').hidden = !['calling', 'ringing', 'connected'].includes(name);
  $('answer').hidden = name !== 'ringing';
  for (const b of document.querySelectorAll('[data-call]')) b.disabled = !$('hangup').hidden;
}

const rtc = () => ({
  mediaConstraints: { audio: true, video: false },
  pcConfig: { iceServers: phone.account.iceServers, iceTransportPolicy: $('relay').checked ? 'relay' : 'all' },
});

function call(name) {
  if (!name || phone.session) return;
  say(`calling ${name}`);
  phone.ua.call(`sip:${name}@${phone.account.domain}`, rtc());
}

function take(session, incoming) {
  if (phone.session) { session.terminate(); return; }
  phone.session = session;
  state(incoming ? 'ringing' : 'calling', incoming ? `${session.remote_identity.uri.user} calls` : 'Calling');
  const over = (e) => {
    phone.session = null;
    state('ended', `Ended: ${e.cause}`);
    say(`ended: ${e.cause} (${e.originator})`);
  };
  session.on('ended', over).on('failed', over);
  session.on('progress', () => say('it rings')).on('confirmed', () => { state('connected', 'Connected'); say('connected'); });
  session.on('peerconnection', ({ peerconnection }) => watch(peerconnection));
  if (session.connection) watch(session.connection);
}

function watch(pc) {
  phone.pc = pc;
  pc.addEventListener('track', (e) => { $('remote-audio').srcObject = new MediaStream([e.track]); });
  pc.addEventListener('connectionstatechange', () => say(`media ${pc.connectionState}`));
}

async function show() {
  if (!phone.pc) return;
  const all = new Map((await phone.pc.getStats()).entries());
  const find = (f) => [...all.values()].find(f);
  const transport = find((s) => s.type === 'transport');
  const pair = all.get(transport?.selectedCandidatePairId);
  const end = (id) => { const c = all.get(id); return c ? `${c.candidateType} ${c.address ?? ''}:${c.port}` : '?'; };
  const inbound = find((s) => s.type === 'inbound-rtp'), outbound = find((s) => s.type === 'outbound-rtp');
  if (!pair) return;
  $('fact-ice').textContent = `${end(pair.localCandidateId)} to ${end(pair.remoteCandidateId)}`;
  $('fact-dtls').textContent = `${transport.tlsVersion === 'FEFD' ? 'DTLS 1.2' : transport.tlsVersion ?? ''}, ${(transport.srtpCipher ?? '').replace('SRTP_', '')}`;
  $('fact-packets').textContent = `${outbound?.packetsSent ?? 0}, ${inbound?.packetsReceived ?? 0}`;
  $('fact-loss').textContent = `${inbound?.packetsLost ?? 0}, ${Math.round(1000 * (pair.currentRoundTripTime ?? 0))} ms`;
}

async function start() {
  phone.account = await (await fetch('account')).json();
  const { name, domain, password } = phone.account;
  $('me').textContent = name;
  document.title = `${name}: eims-agw`;
  const socket = new JsSIP.WebSocketInterface(`${location.protocol.replace('http', 'ws')}//${location.host}/ws`);
  phone.ua = new JsSIP.UA({ sockets: [socket], uri: `sip:${name}@${domain}`, password, session_timers: false, register_expires: 300 });
  phone.ua.on('registered', () => { if (!phone.session) state('registered', 'Registered'); say(`registered as ${name}`); });
  phone.ua.on('registrationFailed', (e) => { state('failed', `Not registered: ${e.cause}`); say(`registration failed: ${e.cause}`); });
  phone.ua.on('disconnected', () => say('WebSocket closed'));
  phone.ua.on('newRTCSession', ({ session, originator }) => take(session, originator === 'remote'));
  phone.ua.start();
}

document.querySelectorAll('[data-call]').forEach((b) => b.addEventListener('click', () => call(b.dataset.call)));
$('dial').addEventListener('submit', (e) => { e.preventDefault(); call($('whom').value.trim()); });
$('hangup').addEventListener('click', () => phone.session?.terminate());
$('answer').addEventListener('click', () => phone.session?.answer(rtc()));
addEventListener('pagehide', () => { phone.pc?.close(); phone.ua?.stop(); }); // a page that goes says goodbye
setInterval(show, 1000);
start();
