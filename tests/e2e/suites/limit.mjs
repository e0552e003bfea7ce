// SPDX-License-Identifier: BSD-3-Clause
// At the limit of load: new calls are refused, emergencies come in, who talks goes on talking, and all is well when the load is gone.
import assert from 'node:assert/strict';
import { suite, test } from '../lib/runner.mjs';
import { stage } from '../lib/stage.mjs';
import { NET } from '../lib/sandbox.mjs';
import { audioBothWays, browserCallsPhone, parts, renegotiate } from '../lib/call.mjs';
import { until } from '../lib/wait.mjs';

const MOST = 2000; // a call is expected to take 0.06 % of the worker: some 500 fit below 30 %

suite('limit', stage('limit', { apart: true, options: () => ['--max-cpu=30', '--workers=1', '--log-level=info'] }));

function phoneOffers(ctx, id, flags = []) {
  const ip = NET.phone.v4;
  const sdp = ['v=0', `o=- 1 1 IN IP4 ${ip}`, 's=-', `c=IN IP4 ${ip}`, 't=0 0', 'm=audio 30000 RTP/AVP 8', ''].join('\r\n');
  return ctx.gateway.ng.raw({ command: 'offer', supports: ['load limit'], direction: ['core', 'core'], flags, 'call-id': id, 'from-tag': 'f',
    'received-from': ['IP4', ip], sdp });
}

test('new calls meet the limit, emergencies and calls that stand do not', async (t, ctx) => {
  const { call, page, phone } = await parts(t, ctx);
  t.sdps = await browserCallsPhone(call, page, phone);
  await audioBothWays(page, phone);
  const ids = [];
  const add = async (id, flags) => {
    const reply = await phoneOffers(ctx, id, flags);
    if (reply.result === 'ok') ids.push(id);
    return reply;
  };
  let reply = { result: 'ok' };
  for (let n = 0; n < MOST && reply.result === 'ok'; n++) reply = await add(`limit-${n}`);
  t.note(`${ids.length} calls came in before the limit`);
  assert.deepEqual({ result: reply.result, message: reply.message }, { result: 'load limit', message: 'CPU usage limit exceeded' });
  assert.equal((await add('limit-emergency', ['emergency'])).result, 'ok', 'an emergency call');
  assert.equal((await add('limit-again')).result, 'load limit', 'a normal call after it');
  const { load, totalstatistics } = await ctx.gateway.ng.statistics();
  assert.equal(load.refusing, 1);
  assert.ok(totalstatistics.rejectedsessions >= 2);
  await ctx.gateway.events.wait('', /overload CPU usage limit exceeded/, 1000);

  await renegotiate(call, page, phone, 'sendrecv', t);
  await audioBothWays(page, phone);

  for (const id of ids) await ctx.gateway.ng.remove(id, 'f');
  await until('a normal call comes in again', async () => (await add('limit-after')).result === 'ok', 2000);
  await ctx.gateway.events.wait('', /overload-over/, 10000);
  await ctx.gateway.ng.remove('limit-after', 'f');
  await audioBothWays(page, phone);
}, { timeout: 60000, known: { rtpengine: 'has another measure' } });
