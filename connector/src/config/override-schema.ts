import { z } from 'zod';
import { parseRange } from '../base/address-ranges.ts';

/** What may change an agent for one call. */
export const overrideSchema = z.strictObject({
  /** Asked with `{"bot": <dialled user>}` before a call is answered. */
  webhook: z
    .strictObject({
      url: z.url({ protocol: /^https?$/ }),
      /** Bearer token. */
      tokenEnv: z.string().min(1).optional(),
      /** A JSON file of secret headers, read at each call. */
      headersFile: z.string().min(1).optional(),
      /** The caller hears nothing meanwhile; after it, the configured agent answers. */
      timeoutSeconds: z.number().int().min(1).max(10).default(2),
      allowPrivateAddresses: z.boolean().default(false),
    })
    .optional(),
  /** A header of the INVITE with JSON, or JSON in base64. What it says counts over the webhook. */
  header: z
    .strictObject({
      name: z
        .string()
        .regex(/^[A-Za-z][A-Za-z0-9-]*$/, 'expected the name of a header')
        .default('X-Parley-Agent'),
      /** Who may send it; by default those of `sip.sourceRanges` and `sip.trustedRanges`, and who is authenticated. */
      sourceRanges: z
        .array(
          z
            .string()
            .refine(
              (text) => parseRange(text) !== undefined,
              'expected a range, as 198.51.100.0/24',
            ),
        )
        .min(1)
        .optional(),
    })
    .optional(),
  /** What may be changed beside texts, voices, models and limits; `key` and `url` by the webhook only. */
  allow: z.array(z.enum(['transfer', 'key', 'url'])).default([]),
});
