// SPDX-License-Identifier: BSD-3-Clause
// What most suites stand on: a gateway, an agent in the core, a browser, and Kamailio between them where it is asked for.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { AgentClient } from './agent-client.mjs';
import { Browser } from './browser.mjs';
import { Gateway } from './gateway.mjs';
import { Kamailio } from './kamailio.mjs';

/**
 * before and after of suite(name, ...).
 * @param options the gateway's arguments, of ctx
 * @param interfaces the gateway's, where they are others than usual
 * @param apart the gateway's logs have a folder of their own
 * @param kamailio what Kamailio.start() is told beside the gateway, of ctx
 */
export const stage = (name, { options = () => [], interfaces, apart = false, kamailio } = {}) => ({
  async before(ctx) {
    const out = apart ? join(ctx.opts.out, name) : ctx.opts.out;
    ctx.gateway = await new Gateway({ ...ctx.opts, out }).start(options(ctx), interfaces);
    if (kamailio) ctx.kamailio = await Kamailio.start({ gateway: ctx.gateway, out, ...kamailio });
    ctx.core = new AgentClient(ctx.net.core, join(out, 'agent-core.log'));
    ctx.browser = await Browser.launch(name, ctx.net.br, ctx.opts.out);
  },
  async after(ctx) {
    await ctx.browser?.close();
    await ctx.core?.stop();
    await ctx.kamailio?.stop();
    const result = await ctx.gateway?.stop();
    ctx.browser = ctx.core = ctx.kamailio = ctx.gateway = null;
    if (result && ctx.opts.gateway === 'agwd') assert.deepEqual(result, { code: 0, signal: null }, 'clean stop on SIGTERM');
  },
});
