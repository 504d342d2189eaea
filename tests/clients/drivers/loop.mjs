// What every driver for node does: one call a line in, one answer a line out, as JSON. Where to call
// and with which key comes with each, and stands in the environment meanwhile.
import readline from 'node:readline';

export async function serve(calls, shown) {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { call, house, key, ...said } = JSON.parse(line);
    Object.assign(process.env, { HOUSE: house, KEY: key });
    let answer;
    try {
      answer = { ok: true, ...(await calls[call](said)) };
    } catch (error) {
      answer = { ok: false, kind: error.name ?? error.constructor.name, ...shown(error) };
    }
    console.log(JSON.stringify(answer));
  }
}
