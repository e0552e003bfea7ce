// SPDX-License-Identifier: BSD-3-Clause
// node ping.mjs ADDRESS PORT PATIENCE_MS: ends with 0 as soon as an ng gateway answers there.
import { NgClient } from '../../tests/e2e/lib/ng.mjs';
import { until } from '../../tests/e2e/lib/wait.mjs';

const [address, port, patience] = process.argv.slice(2);
const ng = await NgClient.open(Number(port), address);
try {
  await until(`ping of ${address}:${port}`, () => ng.ping(), Number(patience));
} catch (e) {
  console.error(e.message);
  process.exitCode = 1;
}
ng.close();
