// SPDX-License-Identifier: BSD-3-Clause
// The JsSIP page, driven.
import { Endpoint } from './browser.mjs';
import { until } from './wait.mjs';

export class SipPage extends Endpoint {
  static async open(browser, o) {
    const e = new SipPage();
    e.page = await browser.page('/phone.html');
    await e.page.evaluate((x) => phone.start(x), o);
    return e;
  }

  look() { return this.page.evaluate(() => phone.look()); }
  call(target) { return this.page.evaluate((x) => phone.call(x), target); }
  hold(on) { return this.page.evaluate((x) => phone.hold(x), on); }
  restartIce() { return this.page.evaluate(() => phone.restartIce()); }
  bye() { return this.page.evaluate(() => phone.bye()); }
  sdps() { return this.page.evaluate(() => phone.sdps); }

  registered(ms = 8000) {
    return until('page is registered', async () => (await this.look()).registered, ms);
  }

  /** Waits for a state of the call; another final state ends the wait at once. */
  state(want, ms = 10000) {
    return until(`call is ${want}`, async () => {
      const l = await this.look();
      if (l.state === want) return l;
      if (['ended', 'failed'].includes(l.state)) throw Object.assign(new Error(`call is ${l.state}: ${JSON.stringify(l.events)}`), { fatal: true });
      throw new Error(JSON.stringify(l));
    }, ms);
  }
}
