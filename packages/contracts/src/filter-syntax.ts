import {
  FILTER_FIELDS,
  toFilter,
  type FilterField,
  type FilterTerm,
  type TaskFilter,
} from './task-filter.js';
import { FILTER_VALUES, type Operator, type Value } from './filter-values.js';
import { LIMITS } from './limits.js';
import { nearest } from './nearest.js';
import { QueryError, show } from './query-error.js';

/**
 * Reads the `q=` language: `status:failed,cancelled type:summ* priority:<=2 age:>10m "free text"`. Every term must
 * hold. One pass over the text, without backtracking: time is linear in its length. Throws QueryError.
 */
export function parseFilter(text: string): TaskFilter {
  const terms: FilterTerm[] = [];
  const reader = { text, at: 0 };
  for (skipSpace(reader); reader.at < text.length; skipSpace(reader)) {
    if (terms.length === LIMITS.filterTerms) {
      throw new QueryError(reader.at, `expected at most ${LIMITS.filterTerms} terms, got more`);
    }
    terms.push(readTerm(reader));
  }
  return toFilter(terms);
}

/** Reads the value of a field that stands alone, as in a query parameter. Throws QueryError. */
export function parseFilterField(field: FilterField, text: string): FilterTerm {
  if (field === 'text') return FILTER_VALUES.text.parse([{ text, at: 0 }], undefined);
  const reader = { text, at: 0 };
  const term = readValue(reader, field);
  if (reader.at === text.length) return term;
  throw new QueryError(reader.at, `expected the end of ${field}, got ${show(text.slice(reader.at))}`);
}

type Reader = { readonly text: string; at: number };

function readTerm(reader: Reader): FilterTerm {
  const { text, at: start } = reader;
  if (text[start] === '"') return FILTER_VALUES.text.parse([readQuoted(reader)], undefined);
  if (text[start] === '-') {
    throw new QueryError(start, 'expected a term, got "-": there is no negation; put text in quotes');
  }
  const end = text.length;
  while (reader.at < end && !isSpace(text, reader.at) && text[reader.at] !== ':') reader.at += 1;
  const word = text.slice(start, reader.at);
  if (text[reader.at] !== ':') return FILTER_VALUES.text.parse([{ text: word, at: start }], undefined);
  if (!isField(word)) throw new QueryError(start, unknownField(word));
  reader.at += 1;
  return readValue(reader, word);
}

function readValue(reader: Reader, field: FilterField): FilterTerm {
  const operator = readOperator(reader);
  const { expects, parse } = FILTER_VALUES[field];
  const values: Value[] = [];
  do {
    if (values.length > 0) reader.at += 1;
    const value = reader.text[reader.at] === '"' ? readQuoted(reader) : readBare(reader);
    if (value.text === '') throw new QueryError(value.at, `${field}: expected ${expects}, got nothing`);
    values.push(value);
    if (values.length > LIMITS.filterValues) {
      throw new QueryError(value.at, `${field}: expected at most ${LIMITS.filterValues} values, got more`);
    }
  } while (reader.text[reader.at] === ',');
  if (reader.at < reader.text.length && !isSpace(reader.text, reader.at)) {
    throw new QueryError(reader.at, `${field}: expected a space or a comma after the value`);
  }
  return parse(values, operator);
}

function readOperator(reader: Reader): Operator | undefined {
  const sign = reader.text[reader.at];
  if (sign !== '<' && sign !== '>') return undefined;
  reader.at += 1;
  if (reader.text[reader.at] !== '=') return sign;
  reader.at += 1;
  return `${sign}=`;
}

function readBare(reader: Reader): Value {
  const { text, at } = reader;
  const isEnd = (index: number) => text[index] === ',' || text[index] === '"' || isSpace(text, index);
  while (reader.at < text.length && !isEnd(reader.at)) reader.at += 1;
  return { text: text.slice(at, reader.at), at };
}

/** `\"` and `\\` inside quotes stand for a quote and a backslash. */
function readQuoted(reader: Reader): Value {
  const { text, at } = reader;
  let value = '';
  for (reader.at += 1; reader.at < text.length; reader.at += 1) {
    const character = text[reader.at];
    if (character === '"') {
      reader.at += 1;
      return { text: value, at };
    }
    const next = text[reader.at + 1];
    if (character === '\\' && (next === '"' || next === '\\')) reader.at += 1;
    value += text[reader.at];
  }
  throw new QueryError(at, 'expected a closing quote, got the end');
}

function skipSpace(reader: Reader): void {
  while (isSpace(reader.text, reader.at)) reader.at += 1;
}

function isSpace(text: string, at: number): boolean {
  const character = text[at];
  return character === ' ' || character === '\t' || character === '\n' || character === '\r';
}

function isField(word: string): word is FilterField {
  return (FILTER_FIELDS as readonly string[]).includes(word);
}

function unknownField(word: string): string {
  const near = nearest(word, FILTER_FIELDS);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  return `expected a field (${FILTER_FIELDS.join(', ')}) or text in quotes, got ${show(word)}${hint}`;
}
