import { FILTER_FIELDS, FILTER_VALUES, LIMITS, TASK_SORTS } from '../../packages/contracts/dist/index.js';
import { COUNTED_ROWS, SCANNED_ROWS, SUPPORTED } from '../../services/task-service/dist/tasks/list.policy.js';
import { code, generatedNote, table } from './markdown.mjs';

const number = (value) => value.toLocaleString('en');

/** `docs/lists.md`: the language of `q=`, and which filters may be listed in which order. */
export function renderLists() {
  const fields = FILTER_FIELDS.map((field) => {
    const { expects, example } = FILTER_VALUES[field];
    return [code(field), expects, code(example)];
  });
  const lists = SUPPORTED.map(({ index, fields: narrowing, sorts }) => [
    narrowing.length === 0 ? 'nothing' : narrowing.map(code).join(', then '),
    sorts.map(code).join(', '),
    code(index),
  ]);
  return `${generatedNote('packages/contracts and services/task-service/src/tasks/list.policy.ts')}

# Lists of tasks

\`GET /v1/tasks\`, \`GET /v1/tasks/count\` and \`call.list\` of an agent take the same filter. With \`archived=true\` they look into
the [archive](history.md) instead, in order of creation; filters are checked row by row there.

## The filter

\`\`\`
status:failed,cancelled type:summ* agent:writer priority:<=2 age:>10m "minutes of May"
\`\`\`

Terms are separated by spaces, and all of them must hold. Values separated by commas mean any of them, for
\`status\`, \`type\`, \`agent\`, \`creator\` and \`priority\`. A word without a field, or a text in quotes, is looked for in the title,
whatever its case, as far as the locale of the database folds it (\`C\` knows A to Z alone). Inside quotes, \`\\"\` and \`\\\\\` are a quote and a backslash. There is no negation. At most ${LIMITS.queryCharacters} characters, ${LIMITS.filterTerms} terms, ${LIMITS.filterValues} values of a field.

${table(['Field', 'Takes', 'Example'], fields)}

Over HTTP each field is also a parameter of its own: \`?status=failed&q=age:<1d\`. A parameter given twice is what a comma is where a field takes several values,
else both must hold: \`?status=failed&status=cancelled\` is either, \`?tag=red&tag=blue\` has both. \`parent\` is the direct children of a task, \`root\` a whole tree with its root. Creation is the time in the id: when the request came in, some milliseconds before \`createdAt\`. A query that cannot be read is refused with the character where it goes wrong and what was expected there.

## The order

\`sort\` is one of ${TASK_SORTS.map(code).join(', ')}. \`-createdAt\`, newest first, is the default. \`priority\` is the most urgent first and, of the same priority, the oldest.


${table(['Filter', 'May be sorted by', 'Read along'], lists)}

\`created\` and \`age\` narrow every list by creation. **Any other field may be added** to a list of this table: it is checked on the rows of the list.
Where nothing narrows the list (\`text\`, \`completed\` or a \`type\` with \`*\` by themselves) such a filter needs a beginning in time beside it, as \`age:<1d\`; in the order of priority it needs \`status\` or \`priority\`.
What is not supported is refused with \`QUERY_NOT_SUPPORTED\`, which lists what is.
Where several lists would do, the one with the fewest rows is read.

## Pages

\`page.next\` is the cursor of the next page. It is good for the same filter and order alone. Tasks created meanwhile do not move what is behind it.

A page looks at no more than ${number(SCANNED_ROWS)} rows. Where fields are checked on rows and few match, **a page may be short, even empty, and the list go on**:
only a page without \`next\` is the last.

## Counts

\`GET /v1/tasks/count\` counts up to ${number(COUNTED_ROWS)} rows of the list it reads. Beyond that the answer is an estimate, by the statistics of the database and the share that matches in
the newest of them, and says \`"approximate": true\`.
`;
}
