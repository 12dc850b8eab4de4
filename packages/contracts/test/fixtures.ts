import { readdirSync, readFileSync } from 'node:fs';

/** One golden message: an example that is real, is parsed by a test, and is shown in `docs/protocol.md`. */
export type Fixture = {
  /** `folder/file`, as in `agent/task.start`. */
  readonly name: string;
  readonly subject?: string;
  /** Name of the schema in contracts, where that does not follow from `MESSAGES` or `ROUTES`. */
  readonly schema?: string;
  /** Of a request over HTTP, as in `POST /v1/tasks`: the schema is that of its entry in `ROUTES`. */
  readonly route?: string;
  readonly message: unknown;
};

const folder = new URL('../fixtures/', import.meta.url);

/** All golden messages of the folders named: `events`, `agent`, `service`, `http`. */
export function readFixtures(...kinds: readonly string[]): readonly Fixture[] {
  return kinds.flatMap((kind) =>
    readdirSync(new URL(`${kind}/`, folder)).map((file) => ({
      ...(JSON.parse(readFileSync(new URL(`${kind}/${file}`, folder), 'utf8')) as Omit<Fixture, 'name'>),
      name: `${kind}/${file.replace('.json', '')}`,
    })),
  );
}
