// SPDX-License-Identifier: BSD-3-Clause
// SIPp scenarios from lists of steps: one side of a dialogue in which PRACK, UPDATE and re-INVITE cross and nest, for which a
// reply must be written from the request that it answers and not from the last message.
//
//   send('INVITE', { sdp, headers })        a request; ACK and CANCEL know which INVITE they belong to; `refused`: the ACK to a refusal
//   recv('UPDATE', { ms })                  waits for a request (20 s unless ms), and remembers it by its method
//   reply('INVITE', 183, { sdp, headers })  answers a remembered request
//   want(200)                               waits for a reply; other provisional ones may come first
//   pause(ms)
//   play(file)                              from now on raw A-law goes out from [rtpstream_audio_port], over and over

const esc = (text) => text.replace(/\n/g, '\r\n').replace(/\r\r/g, '\r');

/** Direction of the dialogue: `caller`: we sent the first INVITE. */
export function scenario(name, steps, { caller, user = 'uas', tag = name }) {
  const state = { at: 0, inviteAt: 0, caller, user, tag, cseq: caller ? 0 : 100, invite: 0, vars: new Set(), rs: false };
  const body = steps.map((s) => {
    const text = write[s.kind](s, state);
    if (s.kind === 'send' && s.method === 'INVITE') state.inviteAt = state.at;
    state.at += text.match(/^ {2}<(send|recv|pause|nop)/gm).length;
    return text;
  }).join('\n');
  const unused = [...state.vars].join(',');
  return `<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="${name}">\n${body}\n${unused ? `  <Reference variables="${unused}" />\n` : ''}</scenario>\n`;
}

export const send = (method, o = {}) => ({ kind: 'send', method, ...o });
export const recv = (method, o = {}) => ({ kind: 'recv', method, ...o });
export const reply = (method, code, o = {}) => ({ kind: 'reply', method, code, ...o });
export const want = (code, o = {}) => ({ kind: 'want', code, ...o });
export const pause = (ms) => ({ kind: 'pause', ms });
export const play = (file) => ({ kind: 'play', file });

const contact = 'Contact: <sip:[service]@[local_ip]:[local_port]>';
const tail = ({ sdp, headers = [] }) => [...headers, ...(sdp ? ['Content-Type: application/sdp', 'Content-Length: [len]', '', sdp.trim()] : ['Content-Length: 0', '', ''])].join('\n');
const message = (text, how = '') => `  <send${how}>\n    <![CDATA[\n${text}\n    ]]>\n  </send>`;

function request(s, st) {
  const ack = s.method === 'ACK';
  if (!ack && s.method !== 'CANCEL') st.cseq++;
  if (s.method === 'INVITE') st.invite = st.cseq;
  const number = ack || s.method === 'CANCEL' ? st.invite : st.cseq;
  const first = st.caller && !st.rs;
  const mine = `<sip:${st.caller ? `caller@e2e.test` : `[service]@e2e.test`}>;tag=[pid]${st.tag}[call_number]`;
  return [
    `${s.method} ${first ? `sip:${st.user}@e2e.test` : '[next_url]'} SIP/2.0`,
    `Via: SIP/2.0/[transport] [local_ip]:[local_port];rport;branch=[branch${s.refused ? `-${st.at - st.inviteAt}` : ''}]`,
    ...(first ? [] : ['[routes]']),
    `From: ${mine}`,
    first ? `To: <sip:${st.user}@e2e.test>` : 'To:[$remote]',
    'Call-ID: [call_id]', `CSeq: ${number} ${s.method}`, 'Max-Forwards: 70', ...(ack ? [] : [contact]), tail(s),
  ].join('\n');
}

const write = {
  send: (s, st) => message(request(s, st), s.method === 'ACK' || s.once ? '' : ' retrans="500"'),

  recv(s, st) {
    const m = s.method;
    const first = !st.caller && !st.rs;
    for (const v of [`via${m}`, `cut${m}`, `from${m}`, `to${m}`, `cseq${m}`, `rr${m}`, `cur${m}`]) st.vars.add(v);
    if (first) { st.rs = true; st.vars.add('remote'); }
    const keep = m === 'ACK' ? '' : `
    <action>
      <ereg regexp="(Via: [^\\n]*\\n)+" search_in="msg" assign_to="via${m},cut${m}" />
      <ereg regexp="(Record-Route: [^\\n]*\\n)+" search_in="msg" assign_to="rr${m},cur${m}" />
      <ereg regexp=".*" search_in="hdr" header="From:" assign_to="from${m}" />
      <ereg regexp=".*" search_in="hdr" header="To:" assign_to="to${m}" />
      <ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="cseq${m}" />${first ? `
      <ereg regexp=".*" search_in="hdr" header="From:" assign_to="remote" />` : ''}
    </action>
  `;
    if (m === 'ACK') for (const v of [`via${m}`, `cut${m}`, `from${m}`, `to${m}`, `cseq${m}`, `rr${m}`, `cur${m}`]) st.vars.delete(v);
    return `  <recv request="${m}"${first ? ' rrs="true"' : ''} timeout="${s.ms ?? 20000}">${keep}</recv>`;
  },

  reply(s, st) {
    const m = s.method;
    const inDialog = st.answered || st.caller || m !== 'INVITE';
    if (m === 'INVITE' && s.code >= 200 && s.code < 300) st.answered = true;
    return message([
      `SIP/2.0 ${s.code} ${s.code}`, `[$via${m}]From:[$from${m}]`,
      inDialog ? `To:[$to${m}]` : `To:[$to${m}];tag=[pid]${st.tag}[call_number]`,
      'Call-ID: [call_id]', `CSeq:[$cseq${m}]`, ...(inDialog ? [] : ['[$rrINVITE]' + contact]), ...(inDialog ? [contact] : []), tail(s),
    ].join('\n'), m === 'INVITE' && s.code >= 200 ? ' retrans="500"' : '');
  },

  want(s, st) {
    const first = st.caller && !st.rs && s.code > 100;
    if (first) { st.rs = true; st.vars.add('remote'); }
    const maybe = s.plain ? [] : [100, 180].filter((c) => c !== s.code && c < s.code).map((c) => `  <recv response="${c}" optional="true" />\n`);
    return `${maybe.join('')}  <recv response="${s.code}"${first ? ' rrs="true"' : ''} timeout="20000">${first ? `
    <action>
      <ereg regexp=".*" search_in="hdr" header="To:" assign_to="remote" />
    </action>
  ` : ''}</recv>`;
  },

  pause: (s) => `  <pause milliseconds="${s.ms}" />`,

  play: (s) => `  <nop><action><exec rtp_stream="${s.file},-1,8" /></action></nop>`,
};

/** What SIPp's message file says: [{ at (ms), dir: 'sent' | 'received', first, text, sdp }] in order. */
export function messages(text) {
  return text.split(/^-{40,} (?=.*\n)/m).slice(1).map((part) => {
    const [when, head, ...rest] = part.split('\n');
    const msg = rest.join('\n').replace(/^\s*\n/, '').replace(/\r/g, '');
    const at = msg.indexOf('\n\n');
    return { at: Date.parse(when.replace(/(\.\d{3})\d*.*$/, '$1')), dir: /sent/.test(head) ? 'sent' : 'received', first: msg.split('\n')[0], text: msg, sdp: /^v=0/m.test(msg) ? `${esc(msg.slice(at + 2).trim())}\r\n` : '' };
  });
}
