// The AI SDK with the provider for anything that speaks like OpenAI.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateImage } from 'ai';
import { serve } from './loop.mjs';

const provider = () => createOpenAICompatible({
  name: 'proofsheet', baseURL: `${process.env.HOUSE}/v1`, apiKey: process.env.KEY,
});

serve({
  generate: async ({ model, prompt, pictures, mask, ...said }) => {
    const images = pictures?.map((each) => Buffer.from(each, 'base64'));
    const edited = { text: prompt, images, ...(mask && { mask: Buffer.from(mask, 'base64') }) };
    const made = await generateImage({
      model: provider().imageModel(model), prompt: images ? edited : prompt, ...said,
    });
    return { images: made.images.map((each) => each.base64) };
  },
}, (error) => ({
  shown: error.message,
  status: error.statusCode ?? error.lastError?.statusCode,
  body: JSON.parse(error.responseBody ?? error.lastError?.responseBody ?? '{}').error ?? {},
}));
