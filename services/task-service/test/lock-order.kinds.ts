import fc from 'fast-check';

/** What the workers of the lock order test do, and how often: so that each of it is met, and a backlog stays. */
export const KINDS = fc.oneof(
  { weight: 200, arbitrary: fc.constant('create') },
  { weight: 20, arbitrary: fc.constant('graph') },
  { weight: 200, arbitrary: fc.constant('assign') },
  { weight: 80, arbitrary: fc.constant('start') },
  { weight: 40, arbitrary: fc.constant('complete') },
  { weight: 20, arbitrary: fc.constant('fail') },
  { weight: 15, arbitrary: fc.constant('return') },
  { weight: 10, arbitrary: fc.constant('cancel') },
  { weight: 15, arbitrary: fc.constant('reopen') },
  { weight: 20, arbitrary: fc.constant('update') },
  { weight: 20, arbitrary: fc.constant('delete') },
  { weight: 60, arbitrary: fc.constant('delegate') },
  { weight: 25, arbitrary: fc.constant('reassign') },
  { weight: 25, arbitrary: fc.constant('spawn') },
  { weight: 12, arbitrary: fc.constant('link') },
  { weight: 25, arbitrary: fc.constant('block') },
  { weight: 15, arbitrary: fc.constant('answer') },
  { weight: 25, arbitrary: fc.constant('progress') },
  { weight: 2, arbitrary: fc.constant('redistribute') },
  { weight: 20, arbitrary: fc.constant('forgotten') },
  { weight: 25, arbitrary: fc.constant('unarchive') },
  { weight: 15, arbitrary: fc.constant('depend') },
  { weight: 2, arbitrary: fc.constant('expire') },
  { weight: 1, arbitrary: fc.constant('hello') },
);
