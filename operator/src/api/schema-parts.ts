import { isIP } from 'node:net';
import { z } from 'zod';

/**
 * Pieces of resource schemas that an API server can judge as zod does: what JSON Schema cannot say is
 * written twice, as a refinement and as a CEL rule with the same verdict.
 */

/** A CEL rule of a structural schema. */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
}

export function celRules(...rules: readonly CelRule[]) {
  return { 'x-kubernetes-validations': rules };
}

/** A list of named objects, merged by name in server-side apply. */
export function namedList<Item extends z.ZodType<{ name: string }>>(list: z.ZodArray<Item>) {
  return list
    .refine((items) => allDiffer(items.map(({ name }) => name)), 'names must differ')
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] });
}

/** A list of texts that all differ. */
export function textSet<Item extends z.ZodType<string>>(list: z.ZodArray<Item>) {
  return list
    .refine((items) => allDiffer(items), 'entries must differ')
    .meta({ 'x-kubernetes-list-type': 'set' });
}

function allDiffer(texts: readonly string[]): boolean {
  return new Set(texts).size === texts.length;
}

/** A map of at most `max` entries. */
export function boundedMap<Key extends z.ZodString, Value extends z.ZodType>(
  map: z.ZodRecord<Key, Value>,
  max: number,
) {
  return map
    .refine((entries) => Object.keys(entries).length <= max, `has more than ${max} entries`)
    .meta({ maxProperties: max });
}

/** A map of at most `max` entries whose keys match `pattern`. */
export function keyedMap<Value extends z.ZodType>(
  pattern: RegExp,
  { value, max }: { value: Value; max: number },
) {
  const { source } = pattern;
  return boundedMap(z.record(z.string().regex(pattern), value), max).meta(
    celRules({
      rule: `self.all(key, key.matches('${source}'))`,
      message: `keys must match ${source}`,
    }),
  );
}

/** `198.51.100.0/24`, `2001:db8::/32`: no zone, no IPv4 inside IPv6 (as CEL's isCIDR has it). */
export const cidr = z
  .string()
  .max(43)
  .refine(isCidr, 'expected an address range, as 198.51.100.0/24')
  .meta(
    celRules({
      rule: 'isCIDR(self)',
      message: 'expected an address range, as 198.51.100.0/24',
    }),
  );

function isCidr(text: string): boolean {
  const [, address = '', length = ''] = /^([0-9a-fA-F:.]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const family = isIP(address);
  if (family === 0 || isMapped(address)) return false;
  return Number(length) <= (family === 4 ? 32 : 128);
}

function isMapped(address: string): boolean {
  return address.includes(':') && new URL(`http://[${address}]`).host.startsWith('[::ffff:');
}

/** One key of a Secret in the resource's own namespace. */
export const secretKeyRef = z.strictObject({
  name: z
    .string()
    .max(253)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
    .describe('Name of a Secret in the same namespace.'),
  key: z
    .string()
    .max(253)
    .regex(/^[-_a-zA-Z0-9][-._a-zA-Z0-9]*$/)
    .describe('Key in the Secret.'),
});

export type SecretKeyRef = z.infer<typeof secretKeyRef>;

/** `500m`, `1.5Gi`, 2 (Kubernetes resource.Quantity, not negative). */
export const quantity = z.union([
  z.number().int().min(0).max(2_147_483_647),
  z
    .string()
    .max(32)
    .regex(/^([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,2})?$/),
]);

/** A URL with host and maybe port and path, of the given schemes (`wss?`). */
export function url(schemes: string) {
  return z
    .string()
    .max(2048)
    .regex(
      new RegExp(
        `^${schemes}://([a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?|\\[[0-9a-fA-F:]+\\])(:[0-9]{1,5})?(/[!-~]*)?$`,
      ),
    );
}
