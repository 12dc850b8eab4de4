/** A language as far as the audit tells it apart. */
export type Language = {
  readonly name: string;
  /** Only `code` counts as code; `data` includes lockfiles and other generated text. */
  readonly kind: 'code' | 'markup' | 'data';
  /** What looks like the beginning of a function, in one line. An approximation: nothing is parsed. */
  readonly functions?: RegExp;
};

const braces =
  /^\s*(?!(?:else|return|new|throw|case|if|for|while|switch|catch|do|using|namespace)\b)(?:[\w$<>[\],.*&:~]+\s+){1,6}[*&]?(?!(?:if|for|while|switch|catch)\b)[\w$:~]+\s*\([^;]*\)?\s*(?:const\s*)?\{/;
const arrows =
  /\bfunction\b|=>|^\s*(?:(?:public|private|protected|static|async|override|get|set|readonly)\s+)*(?!(?:if|for|while|switch|catch|return|with)\b)[\w$]+\s*\([^;]*\)\s*(?::[^;{]+)?\{\s*$/;

const code = (name: string, functions?: RegExp): Language => ({
  name,
  kind: 'code',
  ...(functions && { functions }),
});
const markup = (name: string): Language => ({ name, kind: 'markup' });
const data = (name: string): Language => ({ name, kind: 'data' });

const typescript = code('TypeScript', arrows);
const javascript = code('JavaScript', arrows);
const c = code('C', braces);
const cpp = code('C++', braces);
const kotlin = code('Kotlin', /\bfun\s/);
const shell = code('Shell', /^\s*(?:function\s+[\w:-]+|[\w:-]+\s*\(\)\s*\{?)/);
const yaml = data('YAML');
const html = markup('HTML');

const byExtension: Readonly<Record<string, Language>> = {
  ts: typescript,
  mts: typescript,
  cts: typescript,
  tsx: typescript,
  js: javascript,
  mjs: javascript,
  cjs: javascript,
  jsx: javascript,
  vue: code('Vue', arrows),
  svelte: code('Svelte', arrows),
  py: code('Python', /^\s*(?:async\s+)?def\s/),
  pyi: code('Python', /^\s*(?:async\s+)?def\s/),
  go: code('Go', /^func\b|\bfunc\s*\(/),
  rs: code('Rust', /\bfn\s+\w/),
  java: code('Java', braces),
  cs: code('C#', braces),
  scala: code('Scala', /\bdef\s/),
  kt: kotlin,
  kts: kotlin,
  swift: code('Swift', /\bfunc\s/),
  dart: code('Dart', braces),
  c,
  h: c,
  cc: cpp,
  cpp,
  cxx: cpp,
  hpp: cpp,
  hh: cpp,
  m: code('Objective-C', /^[-+]\s*\(/),
  rb: code('Ruby', /^\s*def\s/),
  php: code('PHP', /\bfunction\b|\bfn\s*\(/),
  lua: code('Lua', /\bfunction\b/),
  pl: code('Perl', /^\s*sub\s/),
  pm: code('Perl', /^\s*sub\s/),
  r: code('R', /\bfunction\s*\(/),
  ex: code('Elixir', /^\s*defp?\s/),
  exs: code('Elixir', /^\s*defp?\s/),
  erl: code('Erlang', /^[a-z]\w*\(.*->/),
  hs: code('Haskell', /^[a-z]\w*\s*::/),
  ml: code('OCaml', /^\s*let\s/),
  clj: code('Clojure', /\(defn-?\s/),
  jl: code('Julia', /^\s*function\s/),
  zig: code('Zig', /\bfn\s+\w/),
  nim: code('Nim', /^\s*proc\s/),
  sh: shell,
  bash: shell,
  zsh: shell,
  ps1: code('PowerShell', /^\s*function\s/i),
  sql: code('SQL', /\bcreate\s+(?:or\s+replace\s+)?(?:function|procedure)\b/i),
  proto: code('Protobuf'),
  css: code('CSS'),
  scss: code('CSS'),
  less: code('CSS'),
  tf: code('Terraform'),
  cmake: code('CMake'),
  html,
  htm: html,
  xml: markup('XML'),
  svg: markup('SVG'),
  md: markup('Markdown'),
  markdown: markup('Markdown'),
  rst: markup('reStructuredText'),
  adoc: markup('AsciiDoc'),
  tex: markup('TeX'),
  txt: markup('Text'),
  json: data('JSON'),
  jsonl: data('JSON'),
  yml: yaml,
  yaml,
  toml: data('TOML'),
  csv: data('CSV'),
  lock: data('Lockfile'),
};

const byName: Readonly<Record<string, Language>> = {
  dockerfile: code('Dockerfile'),
  makefile: code('Makefile'),
  'cmakelists.txt': code('CMake'),
  'package-lock.json': data('Lockfile'),
  'npm-shrinkwrap.json': data('Lockfile'),
  'pnpm-lock.yaml': data('Lockfile'),
  'go.sum': data('Lockfile'),
};

const unknown = data('Other');

// Scripts often have no extension; their first line names the program that runs them.
const byInterpreter: readonly (readonly [RegExp, Language | undefined])[] = [
  [/\b(?:ba|z|k|da)?sh\b|\bbats\b/, byExtension['sh']],
  [/\bpython/, byExtension['py']],
  [/\b(?:node|bun|deno)\b/, javascript],
  [/\bruby\b/, byExtension['rb']],
  [/\bperl\b/, byExtension['pl']],
];

/** The language of a file by its name, or by its first line when that names an interpreter. */
export function languageOf(path: string, text = ''): Language {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 ? name.slice(dot + 1) : '';
  return own(byName, name) ?? own(byExtension, extension) ?? interpreted(text) ?? unknown;
}

function interpreted(text: string): Language | undefined {
  const interpreter = /^#!([^\n]{1,200})/.exec(text)?.[1];
  if (interpreter === undefined) return undefined;
  return byInterpreter.find(([pattern]) => pattern.test(interpreter))?.[1];
}

// A file may be called `constructor`.
function own(table: Readonly<Record<string, Language>>, key: string): Language | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
