// The reference implementation of Standard Webhooks.
import { Webhook } from 'standardwebhooks';
import { serve } from './loop.mjs';

serve({
  verify: ({ body, headers, secret }) => ({ type: new Webhook(secret).verify(body, headers).type }),
}, (error) => ({ shown: error.message }));
