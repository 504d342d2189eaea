// openai-node, unmodified.
import OpenAI, { toFile } from 'openai';
import { serve } from './loop.mjs';

const connected = () => new OpenAI({ baseURL: `${process.env.HOUSE}/v1`, apiKey: process.env.KEY });
const file = (data, n) => toFile(Buffer.from(data, 'base64'), `${n}.png`, { type: 'image/png' });

serve({
  generate: (said) => connected().images.generate(said),
  edit: async ({ pictures, mask, ...said }) => {
    const files = await Promise.all(pictures.map(file));
    if (mask) said.mask = await file(mask, 'mask');
    return connected().images.edit({ image: files.length === 1 ? files[0] : files, ...said });
  },
  stream: async (said) => {
    const events = [];
    for await (const event of await connected().images.generate({ stream: true, ...said })) events.push(event);
    return { events };
  },
  models: async () => {
    const ids = [];
    for await (const model of connected().models.list()) ids.push(model.id);
    return { ids };
  },
  moderate: async ({ input }) => connected().moderations.create({ input }),
  unwrap: async ({ body, headers, secret }) => {
    const receiver = new OpenAI({ apiKey: 'none', webhookSecret: secret });
    return { type: (await receiver.webhooks.unwrap(body, headers)).type };
  },
}, (error) => ({
  shown: error.message, code: error.code, status: error.status, body: error.error ?? {},
}));
