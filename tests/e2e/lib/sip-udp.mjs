// SPDX-License-Identifier: BSD-3-Clause
// One SIP request over UDP and its final answer, for scripts that are asked and not called.
import dgram from 'node:dgram';

let seq = 0;

/** {status, headers, body} of the answer. headers: more header lines of the request. */
export function ask({ host, port }, { callId, fromTag, toTag = '', headers = [], body = '', type = 'application/sdp', method = 'INVITE' }, ms = 3000) {
  const socket = dgram.createSocket('udp4');
  return new Promise((done, fail) => {
    const timer = setTimeout(() => { socket.close(); fail(new Error(`no answer from ${host}:${port}`)); }, ms);
    socket.on('message', (msg) => {
      const text = msg.toString();
      const [head, ...rest] = text.split('\r\n\r\n');
      const [first, ...lines] = head.split('\r\n');
      const status = Number(first.split(' ')[1]);
      if (status < 200) return;
      clearTimeout(timer);
      socket.close();
      done({ status, body: rest.join('\r\n\r\n'), headers: Object.fromEntries(lines.map((l) => [l.slice(0, l.indexOf(':')).toLowerCase(), l.slice(l.indexOf(':') + 1).trim()])) });
    });
    socket.bind(0, host, () => {
      const via = `${host}:${socket.address().port}`;
      const text = [`${method} sip:x@${host}:${port} SIP/2.0`, `Via: SIP/2.0/UDP ${via};branch=z9hG4bK${process.pid}${seq++};rport`, 'Max-Forwards: 70',
        `From: <sip:a@x>;tag=${fromTag}`, `To: <sip:b@x>${toTag ? `;tag=${toTag}` : ''}`, `Call-ID: ${callId}`, `CSeq: ${seq} ${method}`,
        `Contact: <sip:a@${via}>`, ...headers, ...(body ? [`Content-Type: ${type}`] : []), `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
      socket.send(text, port, host);
    });
  });
}
