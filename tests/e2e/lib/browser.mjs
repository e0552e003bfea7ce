// SPDX-License-Identifier: BSD-3-Clause
// Debian's Chromium inside a network namespace, driven by playwright-core over a pipe.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { AgentClient } from './agent-client.mjs';
import { writeToneWav } from './tone.mjs';
import { bundleJssip } from './jssip.mjs';

export const MIC_HZ = 660; // what the fake microphone plays
const CHROMIUM = ['/usr/lib/chromium/chromium', '/usr/bin/chromium'].find(existsSync);
const PAGE = fileURLToPath(new URL('../page/', import.meta.url));

const ARGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--ignore-certificate-errors', '--autoplay-policy=no-user-gesture-required', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream=fps=15',
  '--disable-background-timer-throttling', '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows',
];

export class Browser {
  /** `ns`: null for the gateway's own. `micFile`: WAV for the fake microphone (default: a steady MIC_HZ tone). */
  static async launch(name, ns, out, { micFile, agent } = {}) {
    const b = new Browser();
    Object.assign(b, { name, ns, out });
    const dir = join(out, `browser-${name}`);
    mkdirSync(dir, { recursive: true });
    if (!micFile) writeToneWav(micFile = join(dir, 'mic.wav'), MIC_HZ);
    b.pidFile = join(dir, 'pid');
    const wrapper = join(dir, 'chromium.sh');
    writeFileSync(wrapper, `#!/bin/sh\necho $$ > '${b.pidFile}'\nexec ${ns ? `nsenter --net=/run/netns/${ns} -- ` : ''}${CHROMIUM} "$@"\n`);
    chmodSync(wrapper, 0o755);
    b.agent = agent ?? new AgentClient(ns, join(out, `agent-${name}.log`));
    const port = await b.agent.call('serve', {
      '/rig.html': join(PAGE, 'rig.html'), '/rig.js': join(PAGE, 'rig.js'),
      '/phone.html': join(PAGE, 'phone.html'), '/phone.js': join(PAGE, 'phone.js'), '/jssip.js': { text: bundleJssip() },
    });
    b.origin = `http://localhost:${port}`;
    b.playwright = await chromium.launch({
      executablePath: wrapper,
      args: [...ARGS, `--use-file-for-fake-audio-capture=${micFile}`],
      handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false, timeout: 20000,
    });
    b.playwright.on('disconnected', () => { b.gone = true; });
    return b;
  }

  /** A fresh page in a fresh context. `media`: grant camera and microphone (without it Chromium hides addresses behind mDNS names). */
  async page(path = '/rig.html', { media = true, viewport, origin = this.origin, url } = {}) {
    const permissions = media ? ['camera', 'microphone', 'local-network-access'] : ['local-network-access'];
    const context = await this.playwright.newContext({ permissions, viewport, ignoreHTTPSErrors: true });
    const page = await context.newPage();
    page.console = [];
    page.on('console', (m) => page.console.push(m.text()));
    page.on('pageerror', (e) => page.console.push(`error: ${e.message}`));
    await page.goto(url ?? `${origin}${path}`);
    return page;
  }

  /** SIGKILL to the whole process group: no goodbye of any kind leaves the machine. */
  kill() {
    process.kill(-Number(readFileSync(this.pidFile, 'utf8')), 'SIGKILL');
    this.gone = true;
  }

  async close() {
    if (!this.gone) await this.playwright.close();
    await this.agent.stop();
  }
}

/** A WebRTC endpoint in a page of the rig: every method runs rig.<name>() there. */
export class Endpoint {
  static async open(browser, opts = {}) {
    const e = new Endpoint();
    e.page = await browser.page('/rig.html', { media: opts.media ?? true });
    e.address = opts.address;
    await e.page.evaluate((o) => rig.create(o), opts);
    return e;
  }

  offer(o = {}) { return this.page.evaluate((x) => rig.offer(x), o); }
  answer(sdp) { return this.page.evaluate((x) => rig.answer(x), sdp); }
  rollback() { return this.page.evaluate(() => rig.rollback()); }
  accept(sdp, o = {}) { return this.page.evaluate((x) => rig.accept(...x), [sdp, o]); }
  direction(kind, dir) { return this.page.evaluate((x) => rig.direction(...x), [kind, dir]); }
  addVideo() { return this.page.evaluate(() => rig.addVideo()); }
  dropVideo() { return this.page.evaluate(() => rig.dropVideo()); }
  silent(on) { return this.page.evaluate((x) => rig.silent(x), on); }
  stats() { return this.page.evaluate(() => rig.stats()); }
  tones(freqs) { return this.page.evaluate((f) => rig.tones(f), freqs); }
  say() { return this.page.evaluate(() => rig.say()); }
  kept() { return this.page.evaluate(() => ({ sent: rig.sent, received: rig.payloads })); }
  sound() { return this.page.evaluate(() => rig.sound()); }
  hangup() { return this.page.evaluate(() => rig.hangup()); }
  async close() { await this.page.context().close(); }
}
