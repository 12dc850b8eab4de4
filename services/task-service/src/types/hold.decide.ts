import { DomainError } from '@baton/contracts';

/** Why tasks of a type may not be assigned, as of the locks of a transaction. */
export type Hold = {
  readonly isPaused: boolean;
  /** How many more of them may be held. */
  readonly room: number;
};

/** What is held back of these types, and whether everything is. */
export type Holds = { readonly all: boolean; readonly types: ReadonlyMap<string, Hold> };

export const NO_HOLDS: Holds = { all: false, types: new Map() };

/** Why a task of this type is not to be assigned now, when `added` of the type were assigned since the count. */
export function refuseHeldBack({ all, types }: Holds, type: string, added: number): DomainError | undefined {
  if (all) return new DomainError('PAUSED', 'All distribution is paused; POST /v1/resume lets it go on');
  const hold = types.get(type);
  if (hold === undefined) return undefined;
  if (hold.isPaused) return new DomainError('PAUSED', `The type ${type} is paused`);
  if (added < hold.room) return undefined;
  return new DomainError(
    'TYPE_AT_CAPACITY',
    `As many tasks of type ${type} are held as its maxConcurrent allows`,
  );
}
