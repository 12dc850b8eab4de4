import { z } from 'zod';

/** What people need to know about a setting; validation, `.env.example` and docs/configuration.md are made from it. */
export type SettingNotes = {
  /** What it does. */
  readonly does: string;
  /** Which values it takes, with their unit; problems say "expected" before it. */
  readonly expected: string;
  /** One value that it takes. */
  readonly example: string;
  /** Its value is never shown, and may stand in a file that `<NAME>_FILE` names. Default: false. */
  readonly secret?: boolean;
};

/** A setting as documents show it. */
export type SettingDescription = SettingNotes & {
  readonly name: string;
  readonly secret: boolean;
  /** Undefined when there is none. */
  readonly default: string | undefined;
  readonly required: boolean;
};

const registry = z.registry<SettingNotes>();

/** Declares a setting: how its text is checked and converted, and what people need to know about it. */
export function setting<T extends z.ZodType>(schema: T, notes: SettingNotes): T {
  registry.add(schema, notes);
  return schema;
}

/** What was declared about a setting; throws when nothing was, which is a mistake in the schema. */
export function notesOf(name: string, schema: z.core.$ZodType): SettingNotes {
  const notes = registry.get(schema);
  if (notes === undefined) throw new Error(`${name} is not declared with setting(schema, notes)`);
  return notes;
}

/** Every setting of a schema, in its order. */
export function describeSettings(schema: z.ZodObject): readonly SettingDescription[] {
  return Object.entries(schema.shape).map(([name, field]) => {
    const unset = z.safeParse(field, undefined);
    const fallback = unset.success && unset.data !== undefined ? String(unset.data) : undefined;
    const { secret = false, ...notes } = notesOf(name, field);
    return { name, ...notes, secret, default: fallback, required: !unset.success };
  });
}
