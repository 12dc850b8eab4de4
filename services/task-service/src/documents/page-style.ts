/** The style of the documents page: follows the theme and the text size of the reader, and prints. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --line: light-dark(#c9ced6, #3d444d); --soft: light-dark(#f3f5f8, #1c2128);
  --text: light-dark(#1b1f24, #e2e6ea); --quiet: light-dark(#545d68, #a3adb8); --link: light-dark(#0950b8, #77b1ff); }
* { box-sizing: border-box; }
body { margin: 0; font: 1rem/1.55 system-ui, sans-serif; color: var(--text); background: light-dark(#fff, #12161b); }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; padding: .5rem 1rem; background: var(--soft); }
.page { display: grid; grid-template-columns: 17rem minmax(0, 1fr); max-width: 88rem; margin: 0 auto; }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.5rem 1rem; border-right: 1px solid var(--line);
  font-size: .875rem; }
nav ul { list-style: none; margin: 0 0 1rem; padding: 0; }
nav a { display: block; padding: .2rem .25rem; color: var(--text); text-decoration: none; overflow-wrap: anywhere; }
nav a:hover { text-decoration: underline; }
nav strong { display: block; margin: .75rem 0 .25rem; }
main { padding: 1.5rem 2rem 6rem; }
h1 { margin: 0 0 .5rem; } h2 { margin: 2.5rem 0 .5rem; border-bottom: 1px solid var(--line); } h4 { margin: 1.25rem 0 .25rem; }
p { margin: .35rem 0; max-width: 75ch; } .quiet { color: var(--quiet); }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; }
details > summary { cursor: pointer; padding: .55rem .75rem; background: var(--soft); border-radius: 6px; overflow-wrap: anywhere; }
details > div { padding: .25rem 1rem 1rem; scroll-margin-top: 4rem; }
.verb { display: inline-block; min-width: 4.5rem; font-weight: 700; }
code, pre { font: .875em/1.5 ui-monospace, monospace; }
pre { padding: .75rem; overflow-x: auto; background: var(--soft); border: 1px solid var(--line); border-radius: 6px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); }
@media (max-width: 56rem) { .page { display: block; } nav { position: static; height: 14rem; border: 0; border-bottom: 1px solid var(--line); } main { padding: 1rem; } }
@media print { nav { display: none; } .page { display: block; } }
`;
